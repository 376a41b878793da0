"""What the report keeps: cost assumptions as they were stated, results as they were computed, public scores."""

import json
from typing import Any

from django.db import models
from django.db.models import Q
from django.utils import timezone

from accounts.models import User
from experiments.models import Arm, Experiment


class Assumptions(models.Model):
    """Cost assumptions of one moment, in USD and requests a day; a change is a further row."""

    experiment = models.ForeignKey(Experiment, on_delete=models.CASCADE, related_name="+")
    values = models.JSONField(default=dict)
    stated_at = models.DateTimeField(default=timezone.now)
    stated_by = models.ForeignKey(User, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")

    class Meta:
        verbose_name_plural = "assumptions"
        ordering = ["stated_at", "pk"]

    def __str__(self) -> str:
        return f"assumptions of {self.stated_at:%Y-%m-%d %H:%M}"


class Result(models.Model):
    """A computed report and the hash of what it was made from.

    `report` holds the JSON as one string: Postgres would put the keys of an object into an order of its own.
    """

    experiment = models.OneToOneField(Experiment, on_delete=models.CASCADE, related_name="+")
    made_from = models.CharField(max_length=64)
    report = models.JSONField()
    made_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [models.CheckConstraint(name="a_result_says_what_it_was_made_from", condition=~Q(made_from=""))]

    def __str__(self) -> str:
        return f"result of {self.made_at:%Y-%m-%d %H:%M}"

    @property
    def document(self) -> dict[str, Any]:
        """The report with its keys in the order in which they were written."""
        document: dict[str, Any] = json.loads(self.report)
        return document


class Benchmark(models.Model):
    """A public benchmark score of what plays an arm, shown as context after unblinding."""

    arm = models.ForeignKey(Arm, on_delete=models.CASCADE, related_name="+")
    name = models.CharField(max_length=120)
    score = models.FloatField()
    source = models.CharField(max_length=500)
    dated = models.DateField()

    class Meta:
        ordering = ["name"]
        constraints = [models.CheckConstraint(name="a_score_has_its_source", condition=~Q(source=""))]

    def __str__(self) -> str:
        return f"{self.name} {self.score}"
