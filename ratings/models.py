"""Raters, what they were asked to compare, and what they decided: judgments are only ever added."""

import uuid
from datetime import datetime

from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from experiments.models import Criterion, Experiment, Input, Output


class Rater(models.Model):
    """Somebody who judges, known by a label; imported raters have no link.

    From `left_out_at` on nothing that a withdrawn rater judged counts; a trigger of the database notes it beside each
    assignment (see `Assignment.counts`), and takes it back with the moment.
    """

    experiment = models.ForeignKey(Experiment, on_delete=models.CASCADE, related_name="raters")
    label = models.CharField(max_length=120)
    token_hash = models.CharField(max_length=64, null=True, blank=True, unique=True)
    email = models.EmailField(blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    left_out_at = models.DateTimeField(null=True, blank=True)
    first_used_at = models.DateTimeField(null=True, blank=True)
    practised_at = models.DateTimeField(null=True, blank=True)
    preferences = models.JSONField(default=dict, blank=True)

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(name="a_rater_has_their_own_label", fields=["experiment", "label"]),
            models.CheckConstraint(name="a_rater_has_a_label", condition=~Q(label="")),
            models.CheckConstraint(
                name="a_link_expires", condition=Q(token_hash__isnull=True) | Q(expires_at__isnull=False)
            ),
            models.CheckConstraint(
                name="whoever_is_left_out_is_withdrawn",
                condition=Q(left_out_at__isnull=True) | Q(revoked_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return self.label

    def may_rate(self, now: datetime) -> bool:
        """Whether the link still opens: neither revoked nor expired."""
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)


class ComparisonKind(models.TextChoices):
    """A real pair, or one whose right answer is known."""

    REAL = "real"
    CONTROL = "control"


class Comparison(models.Model):
    """An unordered pair of outputs shown for one input."""

    input = models.ForeignKey(Input, on_delete=models.CASCADE, related_name="comparisons")
    kind = models.CharField(max_length=7, choices=ComparisonKind, default=ComparisonKind.REAL)
    first = models.ForeignKey(Output, on_delete=models.RESTRICT, related_name="+")
    second = models.ForeignKey(Output, on_delete=models.RESTRICT, related_name="+")
    expected = models.ForeignKey(Output, null=True, blank=True, on_delete=models.RESTRICT, related_name="+")

    class Meta:
        constraints = [
            models.CheckConstraint(name="a_comparison_kind_is_known", condition=Q(kind__in=ComparisonKind.values)),
            models.CheckConstraint(name="a_pair_is_stored_in_one_order", condition=Q(first__lt=F("second"))),
            models.UniqueConstraint(name="a_pair_is_made_once", fields=["first", "second"]),
            models.CheckConstraint(
                name="exactly_a_control_has_an_expected_answer",
                condition=(
                    Q(kind=ComparisonKind.REAL, expected__isnull=True)
                    | (
                        Q(kind=ComparisonKind.CONTROL, expected__isnull=False)
                        & (Q(expected=F("first")) | Q(expected=F("second")))
                    )
                ),
            ),
        ]

    def __str__(self) -> str:
        return f"comparison {self.pk}"


class AssignmentKind(models.TextChoices):
    """Why a pair is shown: to be rated, to be rated again, or to check the rater."""

    RATING = "rating"
    REPEAT = "repeat"
    CONTROL = "control"


class SkipReason(models.TextChoices):
    """Why a rater could not judge a pair."""

    NOT_MY_FIELD = "not_my_field"
    UNCLEAR = "unclear"
    REVEALS = "reveals"
    BROKEN = "broken"
    OTHER = "other"


class Assignment(models.Model):
    """A comparison given to one rater, with its left and right; `left` is card A wherever it stood.

    `counts` says whether its current judgment was made without seeing the key, by somebody whom the owner did not leave
    out; `verdict`, `seconds`, `judged_at` what it holds, `commented` whether with words; None before there is one. A
    trigger of the database writes them with every judgment, so that neither handing out the next pair nor a page about
    progress need look up each judgment.
    """

    token = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    # Both are found by the unique constraints, which begin with them.
    comparison = models.ForeignKey(Comparison, on_delete=models.CASCADE, related_name="assignments", db_index=False)
    rater = models.ForeignKey(Rater, on_delete=models.CASCADE, related_name="assignments", db_index=False)
    kind = models.CharField(max_length=7, choices=AssignmentKind, default=AssignmentKind.RATING)
    repeat_of = models.OneToOneField("self", null=True, blank=True, on_delete=models.CASCADE, related_name="repeat")
    left = models.ForeignKey(Output, on_delete=models.RESTRICT, related_name="+")
    right = models.ForeignKey(Output, on_delete=models.RESTRICT, related_name="+")
    position = models.PositiveIntegerField()
    created_at = models.DateTimeField(default=timezone.now)
    lease_until = models.DateTimeField(null=True, blank=True)
    shown_at = models.DateTimeField(null=True, blank=True)
    skipped_at = models.DateTimeField(null=True, blank=True)
    skip_reason = models.CharField(max_length=12, choices=SkipReason, blank=True)
    counts = models.BooleanField(null=True, editable=False)
    verdict = models.CharField(max_length=9, null=True, editable=False)
    seconds = models.FloatField(null=True, editable=False)
    judged_at = models.DateTimeField(null=True, editable=False)
    commented = models.BooleanField(null=True, editable=False)

    class Meta:
        constraints = [
            models.CheckConstraint(name="an_assignment_kind_is_known", condition=Q(kind__in=AssignmentKind.values)),
            models.CheckConstraint(name="left_and_right_differ", condition=~Q(left=F("right"))),
            models.UniqueConstraint(name="a_rater_gets_a_pair_once_a_kind", fields=["comparison", "rater", "kind"]),
            models.UniqueConstraint(name="a_rater_gets_one_pair_a_position", fields=["rater", "position"]),
            models.CheckConstraint(
                name="exactly_a_repeat_repeats",
                condition=(
                    Q(kind=AssignmentKind.REPEAT, repeat_of__isnull=False)
                    | (~Q(kind=AssignmentKind.REPEAT) & Q(repeat_of__isnull=True))
                ),
            ),
            models.CheckConstraint(
                name="a_skip_reason_belongs_to_a_skip",
                condition=Q(skip_reason="") | Q(skipped_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"assignment {self.token}"


class Verdict(models.TextChoices):
    """What a rater can say of a pair; `left` is card A."""

    LEFT = "left"
    RIGHT = "right"
    BOTH_GOOD = "both_good"
    BOTH_BAD = "both_bad"


class Strength(models.TextChoices):
    """By how much the better side is better."""

    SLIGHTLY = "slightly"
    CLEARLY = "clearly"


class Layout(models.TextChoices):
    """Where card A stood on the screen."""

    LTR = "ltr"
    RTL = "rtl"
    STACKED = "stacked"


class JudgmentQuerySet(models.QuerySet["Judgment"]):
    """Phrases about judgments."""

    def current(self) -> "JudgmentQuerySet":
        """Those that no later judgment supersedes."""
        return self.filter(superseded_by__isnull=True)


class Judgment(models.Model):
    """What one rater decided about one assignment; a changed mind is a further row that supersedes."""

    assignment = models.ForeignKey(Assignment, on_delete=models.CASCADE, related_name="judgments")
    verdict = models.CharField(max_length=9, choices=Verdict)
    strength = models.CharField(max_length=8, choices=Strength, null=True, blank=True)
    left_acceptable = models.BooleanField(null=True, blank=True)
    right_acceptable = models.BooleanField(null=True, blank=True)
    comment = models.TextField(blank=True)
    seconds = models.FloatField(null=True, blank=True)
    layout = models.CharField(max_length=7, choices=Layout, blank=True)
    differences_used = models.BooleanField(default=False)
    unblinded = models.BooleanField(default=False)
    imported = models.BooleanField(default=False)
    key = models.UUIDField(default=uuid.uuid4, unique=True)
    supersedes = models.OneToOneField(
        "self", null=True, blank=True, on_delete=models.CASCADE, related_name="superseded_by"
    )
    judged_at = models.DateTimeField(default=timezone.now)

    objects = JudgmentQuerySet.as_manager()

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.CheckConstraint(name="a_verdict_is_known", condition=Q(verdict__in=Verdict.values)),
            models.UniqueConstraint(
                name="an_assignment_has_one_first_judgment",
                fields=["assignment"],
                condition=Q(supersedes__isnull=True),
            ),
            models.CheckConstraint(
                name="only_a_preference_has_a_strength",
                condition=Q(strength__isnull=True)
                | Q(verdict__in=[Verdict.LEFT, Verdict.RIGHT], strength__in=Strength.values),
            ),
            models.CheckConstraint(
                name="judging_takes_no_negative_time", condition=Q(seconds__isnull=True) | Q(seconds__gte=0)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.verdict} on assignment {self.assignment_id}"


class CriterionVerdict(models.Model):
    """What a judgment says about one criterion."""

    judgment = models.ForeignKey(Judgment, on_delete=models.CASCADE, related_name="criteria")
    criterion = models.ForeignKey(Criterion, on_delete=models.CASCADE, related_name="+")
    verdict = models.CharField(max_length=9, choices=Verdict)

    class Meta:
        constraints = [
            models.UniqueConstraint(name="a_criterion_is_judged_once_a_judgment", fields=["judgment", "criterion"]),
            models.CheckConstraint(name="a_criterion_verdict_is_known", condition=Q(verdict__in=Verdict.values)),
        ]

    def __str__(self) -> str:
        return f"{self.verdict} on criterion {self.criterion_id}"


class Side(models.TextChoices):
    """Which card a rater takes for the system in use today."""

    LEFT = "left"
    RIGHT = "right"
    UNSURE = "unsure"


class Guess(models.Model):
    """Which side a rater took for the system in use today, asked after the verdict."""

    assignment = models.OneToOneField(Assignment, on_delete=models.CASCADE, related_name="guess")
    side = models.CharField(max_length=6, choices=Side)
    guessed_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [models.CheckConstraint(name="a_guess_names_a_side", condition=Q(side__in=Side.values))]

    def __str__(self) -> str:
        return f"{self.side} on assignment {self.assignment_id}"
