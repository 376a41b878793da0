"""The blind core: what is compared, on which inputs, by which anonymous arms. It knows no identity."""

import secrets
import uuid
from datetime import datetime

from django.db import models
from django.db.models import Q
from django.utils import timezone

from accounts.models import User


def new_salt() -> str:
    """64 hexadecimal digits (256 bits), from which every draw of an experiment derives."""
    return secrets.token_hex(32)


def new_code() -> str:
    """A random name for an arm, in no order of creation."""
    return uuid.uuid4().hex[:12]


class Status(models.TextChoices):
    """Where an experiment stands; it only moves forward."""

    DRAFT = "draft"
    COLLECTING = "collecting"
    RATING = "rating"
    CLOSED = "closed"


class Pairs(models.TextChoices):
    """Which arms meet: every candidate the baseline, or everybody everybody."""

    BASELINE = "baseline"
    ALL = "all"


class PersonalData(models.TextChoices):
    """What the owner decided about personal data in the inputs; empty as long as nobody did."""

    MASK = "mask"
    KEEP = "keep"


class ExperimentQuerySet(models.QuerySet["Experiment"]):
    """Phrases about experiments."""

    def for_owner(self, user: User) -> "ExperimentQuerySet":
        """Those that this user owns: the only door from a page to an experiment."""
        return self.filter(owners=user)

    def named(self, name: str) -> "ExperimentQuerySet":
        """By id or slug, as the command line names them."""
        return self.filter(Q(slug=name) | Q(pk=int(name)) if name.isdecimal() and len(name) < 18 else Q(slug=name))


class Experiment(models.Model):
    """One question put to raters over one set of inputs."""

    slug = models.SlugField(max_length=80, unique=True)
    title = models.CharField(max_length=200)
    question = models.CharField(max_length=500)
    instructions = models.TextField(blank=True)
    owners = models.ManyToManyField(User, related_name="experiments", blank=True)
    baseline = models.ForeignKey("Arm", null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    pairs = models.CharField(max_length=8, choices=Pairs, default=Pairs.BASELINE)
    margin = models.FloatField(default=0.10)
    ratings_per_pair = models.PositiveIntegerField(default=3)
    planned_raters = models.PositiveIntegerField(default=5)
    repeat_share = models.FloatField(default=0.0)
    control_share = models.FloatField(default=0.0)
    ask_acceptable = models.BooleanField(default=False)
    ask_strength = models.BooleanField(default=False)
    ask_guess = models.BooleanField(default=False)
    require_comment = models.BooleanField(default=False)
    monitored = models.BooleanField(default=False)
    seed = models.PositiveBigIntegerField(default=0)
    draw_salt = models.CharField(max_length=64, default=new_salt, editable=False)
    personal_data = models.CharField(max_length=4, choices=PersonalData, blank=True)
    personal_found = models.JSONField(default=dict, blank=True)
    masks = models.JSONField(default=dict, blank=True)
    status = models.CharField(max_length=10, choices=Status, default=Status.DRAFT)
    created_at = models.DateTimeField(default=timezone.now)
    sealed_at = models.DateTimeField(null=True, blank=True)
    seal = models.CharField(max_length=64, blank=True)
    sealed = models.JSONField(default=dict, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)
    closed_by = models.ForeignKey(User, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    follows = models.ForeignKey("self", null=True, blank=True, on_delete=models.SET_NULL, related_name="followers")
    retention_days = models.PositiveIntegerField(null=True, blank=True)
    archived_at = models.DateTimeField(null=True, blank=True)

    objects = ExperimentQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["status"], name="experiments_by_status")]
        constraints = [
            models.CheckConstraint(name="a_status_is_one_of_four", condition=Q(status__in=Status.values)),
            models.CheckConstraint(name="pairs_are_baseline_or_all", condition=Q(pairs__in=Pairs.values)),
            models.CheckConstraint(
                name="personal_data_is_masked_or_kept_or_undecided",
                condition=Q(personal_data__in=["", *PersonalData.values]),
            ),
            models.CheckConstraint(
                name="an_experiment_is_sealed_from_rating_on",
                condition=(
                    Q(status__in=[Status.DRAFT, Status.COLLECTING], sealed_at__isnull=True, seal="")
                    | (Q(status__in=[Status.RATING, Status.CLOSED], sealed_at__isnull=False) & ~Q(seal=""))
                ),
            ),
            models.CheckConstraint(
                name="a_closing_time_is_set_exactly_when_closed",
                condition=(
                    Q(status=Status.CLOSED, closed_at__isnull=False)
                    | (~Q(status=Status.CLOSED) & Q(closed_at__isnull=True, closed_by__isnull=True))
                ),
            ),
            models.CheckConstraint(
                name="a_margin_lies_between_nothing_and_a_half", condition=Q(margin__gt=0, margin__lt=0.5)
            ),
            models.CheckConstraint(name="every_pair_wants_a_rating", condition=Q(ratings_per_pair__gte=1)),
            models.CheckConstraint(name="somebody_is_planned_to_rate", condition=Q(planned_raters__gte=1)),
            models.CheckConstraint(
                name="shares_are_shares",
                condition=Q(repeat_share__gte=0, repeat_share__lt=1, control_share__gte=0, control_share__lt=1),
            ),
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def is_blind(self) -> bool:
        """Whether names must still be kept from everybody: until it is closed."""
        return self.status != Status.CLOSED


class Criterion(models.Model):
    """A further question about each pair, beside the overall verdict."""

    experiment = models.ForeignKey(Experiment, on_delete=models.CASCADE, related_name="criteria")
    position = models.PositiveIntegerField()
    name = models.CharField(max_length=80)
    description = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(name="a_criterion_has_its_own_position", fields=["experiment", "position"]),
            models.UniqueConstraint(name="a_criterion_has_its_own_name", fields=["experiment", "name"]),
        ]

    def __str__(self) -> str:
        return self.name


class Input(models.Model):
    """One item of the owner's traffic, as chat messages; a plain prompt is one user message.

    `personal` counts what was found in it by kind (email, phone, …), masked or not.
    """

    experiment = models.ForeignKey(Experiment, on_delete=models.CASCADE, related_name="inputs")
    position = models.PositiveIntegerField()
    external_id = models.CharField(max_length=200)
    messages = models.JSONField()
    tags = models.JSONField(default=list, blank=True)
    reference = models.TextField(blank=True)
    personal = models.JSONField(default=dict, blank=True)

    class Meta:
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(name="an_input_has_its_own_position", fields=["experiment", "position"]),
            models.UniqueConstraint(name="an_input_has_its_own_id", fields=["experiment", "external_id"]),
            models.CheckConstraint(name="an_input_has_messages", condition=~Q(messages=[])),
        ]

    def __str__(self) -> str:
        return self.external_id


class Spare(models.Model):
    """A row of the log that the sample left out; it may take the place of an input until the seal, and goes then.

    `outputs` are recorded answers to it, by system; `length` is that of its texts.
    """

    experiment = models.ForeignKey(Experiment, on_delete=models.CASCADE, related_name="spares")
    external_id = models.CharField(max_length=200)
    messages = models.JSONField()
    tags = models.JSONField(default=list, blank=True)
    reference = models.TextField(blank=True)
    personal = models.JSONField(default=dict, blank=True)
    outputs = models.JSONField(default=dict, blank=True)
    length = models.PositiveIntegerField()

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(name="a_spare_has_its_own_id", fields=["experiment", "external_id"]),
            models.CheckConstraint(name="a_spare_has_messages", condition=~Q(messages=[])),
        ]

    def __str__(self) -> str:
        return self.external_id


class Staged(models.Model):
    """A file between its preview and the moment it is taken, for a day; every web process sees it here."""

    experiment = models.ForeignKey(Experiment, on_delete=models.CASCADE, related_name="staged")
    handle = models.CharField(max_length=22, unique=True)
    kept_at = models.DateTimeField(default=timezone.now)

    class Meta:
        indexes = [models.Index(fields=["kept_at"], name="staged_files_by_age")]

    def __str__(self) -> str:
        return self.handle


class StagedPart(models.Model):
    """A piece of a staged file: a file never stands in memory as a whole."""

    staged = models.ForeignKey(Staged, on_delete=models.CASCADE, related_name="parts")
    number = models.PositiveIntegerField()
    content = models.BinaryField()

    class Meta:
        ordering = ["number"]
        constraints = [
            models.UniqueConstraint(name="a_part_has_its_own_number", fields=["staged", "number"]),
        ]

    def __str__(self) -> str:
        return f"part {self.number}"


class Mapping(models.Model):
    """Which columns an owner last took for what, in files with this header."""

    owner = models.ForeignKey(User, on_delete=models.CASCADE, related_name="mappings")
    header = models.CharField(max_length=64)
    columns = models.JSONField()

    class Meta:
        constraints = [
            models.UniqueConstraint(name="an_owner_maps_a_header_once", fields=["owner", "header"]),
        ]

    def __str__(self) -> str:
        return self.header


class Arm(models.Model):
    """An anonymous contestant: whoever plays it is written in the envelope, not here."""

    experiment = models.ForeignKey(Experiment, on_delete=models.CASCADE, related_name="arms")
    code = models.CharField(max_length=12, default=new_code)

    class Meta:
        ordering = ["code"]
        constraints = [
            models.UniqueConstraint(name="an_arm_has_its_own_code", fields=["experiment", "code"]),
            models.CheckConstraint(name="an_arm_has_a_code", condition=~Q(code="")),
        ]

    def __str__(self) -> str:
        return self.code


class OutputState(models.TextChoices):
    """Whether raters may see an output."""

    READY = "ready"
    FLAGGED = "flagged"
    MASKED = "masked"
    WITHHELD = "withheld"
    EMPTY = "empty"


class Decision(models.TextChoices):
    """What the owner decided about a flagged output."""

    NONE = "none"
    RELEASED = "released"
    MASKED = "masked"
    WITHHELD = "withheld"


class OutputQuerySet(models.QuerySet["Output"]):
    """Phrases about outputs."""

    def servable(self) -> "OutputQuerySet":
        """Those that raters may see: ready, masked, or flagged and released by the owner."""
        return self.filter(
            Q(state__in=[OutputState.READY, OutputState.MASKED])
            | Q(state=OutputState.FLAGGED, decision=Decision.RELEASED)
        )

    def undecided(self) -> "OutputQuerySet":
        """Flagged outputs that still wait for the owner's decision."""
        return self.filter(state=OutputState.FLAGGED, decision=Decision.NONE)


class Output(models.Model):
    """The anonymised text that raters see: normalised alike for every arm, rendered once."""

    input = models.ForeignKey(Input, on_delete=models.CASCADE, related_name="outputs")
    arm = models.ForeignKey(Arm, on_delete=models.CASCADE, related_name="outputs")
    text = models.TextField(blank=True)
    html = models.TextField(blank=True)
    state = models.CharField(max_length=8, choices=OutputState, default=OutputState.READY)
    flags = models.JSONField(default=list, blank=True)
    decision = models.CharField(max_length=8, choices=Decision, default=Decision.NONE)
    reason = models.CharField(max_length=300, blank=True)
    decided_by = models.ForeignKey(User, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    decided_at = models.DateTimeField(null=True, blank=True)

    objects = OutputQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["arm", "state"], name="outputs_of_an_arm_by_state")]
        constraints = [
            models.UniqueConstraint(name="an_arm_answers_an_input_once", fields=["input", "arm"]),
            models.CheckConstraint(name="an_output_state_is_known", condition=Q(state__in=OutputState.values)),
            models.CheckConstraint(name="an_output_decision_is_known", condition=Q(decision__in=Decision.values)),
            models.CheckConstraint(
                name="a_text_is_empty_exactly_when_the_state_says_so",
                condition=Q(state=OutputState.EMPTY, text="") | (~Q(state=OutputState.EMPTY) & ~Q(text="")),
            ),
            models.CheckConstraint(
                name="a_masked_output_was_masked_by_somebody",
                condition=(
                    Q(state=OutputState.MASKED, decision=Decision.MASKED)
                    | (~Q(state=OutputState.MASKED) & ~Q(decision=Decision.MASKED))
                ),
            ),
            models.CheckConstraint(
                name="only_a_flagged_output_is_released",
                condition=~Q(decision=Decision.RELEASED) | Q(state=OutputState.FLAGGED),
            ),
            models.CheckConstraint(
                name="a_decision_has_its_time",
                condition=(
                    Q(decision=Decision.NONE, decided_at__isnull=True)
                    | (~Q(decision=Decision.NONE) & Q(decided_at__isnull=False))
                ),
            ),
        ]

    def __str__(self) -> str:
        return f"output {self.pk}"

    def decide(self, decision: Decision, *, reason: str, by: User | None, at: datetime) -> None:
        """Set the owner's decision on this row without saving it; masking also needs the masked text."""
        self.decision, self.reason, self.decided_by, self.decided_at = decision, reason, by, at
        if decision == Decision.WITHHELD:
            self.state = OutputState.WITHHELD
