"""Faults of our own code: they end at last, in a sentence, and no row is lost over them."""

import logging

import pytest

from backends import drains
from backends.actions import resume
from backends.collecting import Engine, drain_until_idle
from backends.models import Completion, System
from backends.own_faults import MOST_IN_A_ROW, SHOWN_WHOLE
from backends.queries import failures
from tests.backends.scenes import a_collecting_experiment, states, until
from tests.fakes.model_server import ModelServer, echoes

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drains, "FAULT_PAUSE_SECONDS", 0.01)


def broken(*_: object, **__: object) -> None:
    raise ZeroDivisionError("planted")


@pytest.mark.parametrize("where", ["checking.warm_up", "checking.check", "Desk.visit", "telling_names"])
def test_a_thread_that_always_breaks_stops_its_system_with_a_sentence(
    where: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with ModelServer(echoes) as server:
        fields = {} if where == "checking.check" else {"before": {"server": "fake"}}
        experiment = a_collecting_experiment(server, inputs=2, preflight=fields)
        with monkeypatch.context() as planted, caplog.at_level(logging.ERROR):
            planted.setattr(f"backends.drains.{where}", broken)
            drain_until_idle(experiment.pk)
        (only,) = failures(experiment)
        assert (only.input, only.kind) == (None, "internal")
        assert "ZeroDivisionError" in only.sentence
        assert "report it, then resume" in only.sentence
        assert len(caplog.records) >= MOST_IN_A_ROW
        assert sum(record.exc_info is not None for record in caplog.records) == SHOWN_WHOLE
        resume(experiment=experiment)
        drain_until_idle(experiment.pk)
    assert states(experiment) == {"done": 2}


def test_answers_that_always_break_us_stop_the_system_and_come_again_after_a_resume(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with ModelServer(echoes) as server:
        experiment = a_collecting_experiment(server, inputs=12)
        with monkeypatch.context() as planted:
            planted.setattr("backends.finishing.prepare_output", broken)
            drain_until_idle(experiment.pk)
        assert states(experiment) == {"failed": MOST_IN_A_ROW, "pending": 12 - MOST_IN_A_ROW}
        assert System.objects.get().trouble_kind == "internal"
        resume(experiment=experiment)
        drain_until_idle(experiment.pk)
    assert states(experiment) == {"done": 12}


def test_one_odd_answer_among_good_ones_stops_nothing() -> None:
    with ModelServer(echoes) as server:
        experiment = a_collecting_experiment(server, inputs=12)
        odd = Completion.objects.order_by("pk")[0].input
        odd.messages = [{"role": "user", "content": 7}, 7]
        odd.save()
        drain_until_idle(experiment.pk)
    assert states(experiment) == {"done": 11, "failed": 1}
    assert System.objects.get().paused_at is None


def test_a_check_that_breaks_may_be_made_by_another_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    with ModelServer(echoes) as server:
        experiment = a_collecting_experiment(server, inputs=1, preflight={})
        with monkeypatch.context() as planted:
            planted.setattr("backends.checking.preflight", broken)
            drain_until_idle(experiment.pk)
    assert "asking" not in System.objects.get().preflight


def test_looking_for_work_goes_on_and_does_not_flood_the_log(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("backends.collecting.POLL_SECONDS", 0.01)
    engine = Engine()
    monkeypatch.setattr(engine, "tend", broken)
    with caplog.at_level(logging.ERROR):
        engine.start()
        until(lambda: len(caplog.records) > SHOWN_WHOLE + 2)
        engine.stop(seconds=5)
    assert sum(record.exc_info is not None for record in caplog.records) == SHOWN_WHOLE
