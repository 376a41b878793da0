"""The envelope: which system plays which arm, where it is asked, and what asking gave.

Nothing outside this room but reports.unblinding and reports.measurements may import it.
"""

from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from experiments.models import Arm, Input, Output


class Dialect(models.TextChoices):
    """The protocol an endpoint speaks."""

    OPENAI = "openai"
    ANTHROPIC = "anthropic"
    GEMINI = "gemini"
    RECORDED = "recorded"


class Endpoint(models.Model):
    """A server that answers; its secret is encrypted, or named as an environment variable."""

    name = models.CharField(max_length=80, unique=True)
    dialect = models.CharField(max_length=10, choices=Dialect)
    preset = models.CharField(max_length=20, blank=True)
    base_url = models.CharField(max_length=500, blank=True)
    secret = models.TextField(blank=True)
    secret_env = models.CharField(max_length=100, blank=True)
    headers = models.JSONField(default=dict, blank=True)
    max_concurrency = models.PositiveIntegerField(default=8)
    connect_seconds = models.FloatField(default=10.0)
    first_token_seconds = models.FloatField(null=True, blank=True)  # None: as long as the whole answer may take
    silence_seconds = models.FloatField(default=120.0)
    total_seconds = models.FloatField(default=300.0)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.CheckConstraint(name="a_dialect_is_known", condition=Q(dialect__in=Dialect.values)),
            models.CheckConstraint(name="an_endpoint_has_a_name", condition=~Q(name="")),
            models.CheckConstraint(
                name="an_endpoint_takes_at_least_one_call_at_a_time", condition=Q(max_concurrency__gte=1)
            ),
            models.CheckConstraint(
                name="deadlines_are_positive", condition=Q(connect_seconds__gt=0, total_seconds__gt=0)
            ),
            models.CheckConstraint(
                name="deadlines_within_an_answer_are_positive",
                condition=Q(silence_seconds__gt=0)
                & (Q(first_token_seconds__isnull=True) | Q(first_token_seconds__gt=0)),
            ),
            models.CheckConstraint(
                name="a_secret_is_kept_in_one_place",
                condition=Q(secret="") | Q(secret_env=""),
            ),
        ]

    def __str__(self) -> str:
        return self.name


class System(models.Model):
    """A model with its settings behind an endpoint: the identity of one arm.

    `trouble` is the sentence of the last failure that concerned the whole system, `lowered_to` the concurrency that
    a rate limit left, `circuit_until` when a server that failed so many times in a row is tried again.
    """

    arm = models.OneToOneField(Arm, on_delete=models.CASCADE, related_name="+")
    endpoint = models.ForeignKey(Endpoint, null=True, blank=True, on_delete=models.PROTECT, related_name="systems")
    name = models.CharField(max_length=120)
    model_id = models.CharField(max_length=300, blank=True)
    system_prompt = models.TextField(blank=True)
    parameters = models.JSONField(default=dict, blank=True)
    concurrency = models.PositiveIntegerField(default=1)
    samples = models.PositiveIntegerField(default=1)
    cost = models.JSONField(default=dict, blank=True)
    facts = models.JSONField(default=dict, blank=True)
    preflight = models.JSONField(default=dict, blank=True)
    paused_at = models.DateTimeField(null=True, blank=True)
    pause_reason = models.CharField(max_length=500, blank=True)
    circuit_until = models.DateTimeField(null=True, blank=True)
    failures_in_row = models.PositiveIntegerField(default=0)
    lowered_to = models.PositiveIntegerField(null=True, blank=True)
    trouble_kind = models.CharField(max_length=40, blank=True)
    trouble = models.CharField(max_length=1000, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(name="a_system_has_a_name", condition=~Q(name="")),
            models.CheckConstraint(name="a_system_is_asked_at_least_once", condition=Q(samples__gte=1)),
            models.CheckConstraint(name="a_system_is_asked_by_somebody", condition=Q(concurrency__gte=1)),
            models.CheckConstraint(
                name="a_pause_has_a_reason_exactly_when_paused",
                condition=(
                    (Q(paused_at__isnull=True) & Q(pause_reason=""))
                    | (Q(paused_at__isnull=False) & ~Q(pause_reason=""))
                ),
            ),
        ]

    def __str__(self) -> str:
        return self.name


class State(models.TextChoices):
    """How far the fetching of one answer is."""

    PENDING = "pending"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


class Outcome(models.TextChoices):
    """What kind of answer a finished fetching gave; only a complete one counts as a success."""

    COMPLETE = "complete"
    TRUNCATED = "truncated"
    REFUSED = "refused"
    EMPTY = "empty"


class Completion(models.Model):
    """The fetching of one answer; the row is the truth, whoever works on it.

    `claim` is the token of the worker that holds the row until `lease_until`; only its answer is stored.
    `attempts` counts the calls made. A row that waits for another call keeps the last failure's `sentence`.
    """

    system = models.ForeignKey(System, on_delete=models.CASCADE, related_name="completions")
    input = models.ForeignKey(Input, on_delete=models.CASCADE, related_name="+")
    sample = models.PositiveIntegerField(default=0)
    state = models.CharField(max_length=8, choices=State, default=State.PENDING)
    not_before = models.DateTimeField(null=True, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    claim = models.CharField(max_length=32, blank=True)
    attempts = models.PositiveIntegerField(default=0)
    outcome = models.CharField(max_length=10, choices=Outcome, null=True, blank=True)
    output = models.OneToOneField(Output, null=True, blank=True, on_delete=models.CASCADE, related_name="+")
    raw_text = models.TextField(blank=True)
    usage = models.JSONField(default=dict, blank=True)
    ttft_ms = models.FloatField(null=True, blank=True)
    first_visible_ms = models.FloatField(null=True, blank=True)
    latency_ms = models.FloatField(null=True, blank=True)
    user_ms = models.FloatField(null=True, blank=True)
    cold = models.BooleanField(default=False)
    failure_kind = models.CharField(max_length=40, blank=True)
    sentence = models.CharField(max_length=1000, blank=True)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        # In this order a claim finds the next row without sorting: first samples first, then as the inputs stand.
        indexes = [models.Index(fields=["system", "state", "sample", "id"], name="completions_that_are_due")]
        constraints = [
            models.UniqueConstraint(
                name="a_system_answers_an_input_once_a_sample", fields=["system", "input", "sample"]
            ),
            models.CheckConstraint(name="a_completion_state_is_known", condition=Q(state__in=State.values)),
            models.CheckConstraint(
                name="an_outcome_is_set_exactly_when_done",
                condition=(
                    Q(state=State.DONE, outcome__isnull=False, outcome__in=Outcome.values)
                    | (~Q(state=State.DONE) & Q(outcome__isnull=True))
                ),
            ),
            models.CheckConstraint(
                name="the_first_sample_gives_an_output_exactly_when_done",
                condition=(
                    Q(state=State.DONE, sample=0, output__isnull=False)
                    | (~Q(state=State.DONE, sample=0) & Q(output__isnull=True))
                ),
            ),
            models.CheckConstraint(
                name="a_running_completion_is_leased",
                condition=~Q(state=State.RUNNING) | Q(lease_until__isnull=False),
            ),
            models.CheckConstraint(
                name="a_failure_is_named_exactly_when_failed",
                condition=(
                    (Q(state=State.FAILED) & ~Q(failure_kind="") & ~Q(sentence=""))
                    | (~Q(state=State.FAILED) & Q(failure_kind=""))
                ),
            ),
        ]

    def __str__(self) -> str:
        return f"completion {self.pk}"


class Attempt(models.Model):
    """One call that was made for a completion; offsets in ms from sending, but `sent_ms`: from the first one's.

    `connect_ms` is None on a kept-alive connection. `sent` is the request without its messages: a parameter that is
    missing there was not sent. `told` are the headers about rates and the request's id, as the server gave them.
    """

    completion = models.ForeignKey(Completion, on_delete=models.CASCADE, related_name="tries")
    number = models.PositiveIntegerField()
    at = models.DateTimeField(default=timezone.now)
    wait_ms = models.FloatField(default=0)
    sent_ms = models.FloatField(null=True, blank=True)
    connect_ms = models.FloatField(null=True, blank=True)
    headers_ms = models.FloatField(null=True, blank=True)
    first_token_ms = models.FloatField(null=True, blank=True)
    first_visible_ms = models.FloatField(null=True, blank=True)
    last_token_ms = models.FloatField(null=True, blank=True)
    end_ms = models.FloatField(null=True, blank=True)
    status = models.PositiveSmallIntegerField(null=True, blank=True)
    sent = models.JSONField(default=dict, blank=True)
    told = models.JSONField(default=dict, blank=True)
    failure_kind = models.CharField(max_length=40, blank=True)
    sentence = models.CharField(max_length=1000, blank=True)
    raw_tail = models.TextField(blank=True)

    class Meta:
        ordering = ["number"]
        constraints = [
            models.UniqueConstraint(name="an_attempt_has_its_own_number", fields=["completion", "number"]),
        ]

    def __str__(self) -> str:
        return f"attempt {self.number} of completion {self.completion_id}"


class LoadRun(models.Model):
    """A throughput measurement at one concurrency; times in ms, throughput in requests a second."""

    system = models.ForeignKey(System, on_delete=models.CASCADE, related_name="load_runs")
    at = models.DateTimeField(default=timezone.now)
    concurrency = models.PositiveIntegerField()
    requests = models.PositiveIntegerField()
    failed = models.PositiveIntegerField(default=0)
    seconds = models.FloatField()
    throughput = models.FloatField()
    quantiles = models.JSONField(default=dict)

    class Meta:
        ordering = ["at", "concurrency"]
        constraints = [
            models.CheckConstraint(
                name="a_load_run_took_time",
                condition=Q(concurrency__gte=1, seconds__gt=0, throughput__gte=0, failed__lte=F("requests")),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.requests} requests at concurrency {self.concurrency}"
