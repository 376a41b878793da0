"""What the database refuses about stored results and public scores."""

import datetime

import pytest

from experiments.models import Arm
from reports.models import Benchmark, Result
from tests.constraints import refused_by
from tests.factories import an_experiment

pytestmark = pytest.mark.django_db


def test_a_result_made_from_nothing_is_refused() -> None:
    with refused_by("a_result_says_what_it_was_made_from"):
        Result.objects.create(experiment=an_experiment(), made_from="", report={})


def test_a_score_without_a_source_is_refused() -> None:
    arm = Arm.objects.create(experiment=an_experiment())
    with refused_by("a_score_has_its_source"):
        Benchmark.objects.create(arm=arm, name="MMLU", score=0.7, source="", dated=datetime.date(2026, 11, 1))
