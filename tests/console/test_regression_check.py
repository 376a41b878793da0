"""The regression check: a new draft on sealed inputs, the system in use with the answers it gave."""

import json
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command

from backends.models import Completion, LoadRun, System
from console.actions import close, open_for_rating
from console.command import Refusal
from console.regression import Candidate, CannotFollow, parameter
from experiments.actions import decide_output
from experiments.models import Criterion, Experiment, Input, Output
from experiments.sealing import inputs_hash
from reports import assumptions, report
from tests.factories import (
    a_collected_experiment,
    a_rated_experiment,
    a_rating_experiment,
    a_user,
    an_endpoint,
    answers,
)

pytestmark = pytest.mark.django_db
NEXT = "next=qwen3-8b@local"


def a_source(**fields: Any) -> Experiment:
    """Sealed and closed as an owner would, with criteria, tags and a flagged answer that was released."""
    owner = a_user()
    experiment = a_collected_experiment(inputs=4, slug="first", title="First", margin=0.07, owner=owner, **fields)
    Criterion.objects.create(experiment=experiment, position=1, name="accuracy")
    Input.objects.filter(experiment=experiment, position=2).update(reference="Forty-two.", tags={"lang": "en"})
    System.objects.filter(name="system-2").update(
        parameters={"temperature": 0, "max_tokens": 64}, system_prompt="Be kind.", concurrency=20, samples=2
    )
    baseline = System.objects.get(name="system-1")
    LoadRun.objects.create(system=baseline, concurrency=4, requests=40, seconds=10, throughput=4)
    item = experiment.inputs.get(position=1)
    Completion.objects.create(
        system=baseline, input=item, sample=1, state="done", outcome="complete", raw_text="x", latency_ms=700
    )
    flagged, held = Output.objects.filter(arm=baseline.arm).order_by("pk")[:2]
    text = "I am Claude, made by Anthropic."
    Output.objects.filter(pk=flagged.pk).update(text=text, html=f"<p>{text}</p>", state="flagged", flags=[])
    with_flags(flagged)
    decide_output(output=Output.objects.get(pk=flagged.pk), decision="released")
    decide_output(output=held, decision="withheld", reason="private")
    open_for_rating(experiment=experiment, by=owner)
    close(experiment=experiment, by=owner)
    experiment.refresh_from_db()
    return experiment


def with_flags(output: Output) -> None:
    from_text = Output.objects.get(pk=output.pk).text
    start = from_text.index("Claude")
    flag = {"start": start, "end": start + 6, "words": "Claude", "why": "it calls itself by this name"}
    Output.objects.filter(pk=output.pk).update(flags=[flag, {**flag, "words": "Anthropic"}])


def add(*words: str) -> dict[str, Any]:
    out = StringIO()
    call_command("add_experiment", *words, "--json", stdout=out, stderr=StringIO())
    return dict(json.loads(out.getvalue()))


def follow(source: Experiment, *words: str) -> Experiment:
    return Experiment.objects.get(pk=add("--from", source.slug, "--candidate", NEXT, *words)["id"])


def refusal(*words: str) -> str:
    before = Experiment.objects.count()
    with pytest.raises(Refusal) as error:
        add(*words)
    assert Experiment.objects.count() == before
    return str(error.value)


@pytest.fixture(autouse=True)
def _local() -> None:
    an_endpoint(name="local", max_concurrency=6)


def test_the_draft_has_the_sealed_inputs_and_protocol() -> None:
    source = a_source()
    made = follow(source)
    assert (made.status, made.follows, made.margin) == ("draft", source, 0.07)
    assert inputs_hash(made) == source.sealed["inputs"]
    assert [one.name for one in made.criteria.all()] == ["accuracy"]
    assert list(made.owners.all()) == list(source.owners.all())
    assert made.draw_salt != source.draw_salt


def test_the_facts_are_id_and_slug() -> None:
    made = add("--from", a_source().slug, "--candidate", NEXT)
    assert made == {"id": Experiment.objects.latest("pk").pk, "slug": "first-next"}


def test_inputs_keep_their_numbers_where_some_are_missing() -> None:
    source = a_collected_experiment(inputs=5, slug="gap")
    source.inputs.get(position=2).delete()
    open_for_rating(experiment=source, by=None)
    close(experiment=source, by=None)
    source.refresh_from_db()
    assert inputs_hash(follow(source)) == source.sealed["inputs"]


def test_the_accepted_system_comes_with_its_stored_answers_and_times() -> None:
    source = a_source()
    made = follow(source)
    was = System.objects.get(arm=source.baseline)
    now = System.objects.get(arm=made.baseline)
    assert (now.name, now.endpoint, now.arm_id == was.arm_id) == ("system-1", None, False)
    columns = ("input__external_id", "sample", "raw_text", "latency_ms", "ttft_ms", "usage", "outcome")
    kept = [
        list(Completion.objects.filter(system=one).order_by(*columns[:2]).values_list(*columns)) for one in (was, now)
    ]
    assert kept[0] == kept[1]
    assert len(kept[0]) == 5
    shown = [
        list(Output.objects.filter(arm=one.arm).order_by("input__position").values_list("text", "html", "state"))
        for one in (was, now)
    ]
    assert shown[0] == shown[1]
    assert LoadRun.objects.get(system=now).throughput == 4


def test_what_was_released_stays_released_and_what_was_held_back_stays_back() -> None:
    made = follow(a_source())
    states = dict(Output.objects.filter(arm=made.baseline).values_list("input__external_id", "state"))
    assert (states["in1"], states["in2"], states["in3"]) == ("flagged", "withheld", "ready")
    assert not Output.objects.filter(arm=made.baseline).undecided().exists()


def test_an_answer_that_names_the_new_model_is_flagged() -> None:
    source = a_source()
    named = Output.objects.get(arm=source.baseline, input__external_id="in3")
    Output.objects.filter(pk=named.pk).update(text="As Qwen3-8B says, no.", html="<p>As Qwen3-8B says, no.</p>")
    Experiment.objects.filter(pk=source.pk).update(sealed={})
    waiting = Output.objects.filter(arm=follow(source).baseline).undecided()
    assert [one.input.external_id for one in waiting] == ["in3"]


def test_the_candidate_is_asked_as_the_old_one_was() -> None:
    made = follow(a_source())
    candidate = System.objects.exclude(arm=made.baseline).get(arm__experiment=made)
    assert (candidate.name, candidate.model_id, str(candidate.endpoint)) == ("next", "qwen3-8b", "local")
    assert candidate.parameters == {"temperature": 0, "max_tokens": 64}
    assert (candidate.system_prompt, candidate.samples) == ("Be kind.", 2)
    assert candidate.concurrency == 6  # no more than its endpoint takes
    assert not Completion.objects.filter(system=candidate).exists()


def test_parameters_and_prompt_can_be_changed() -> None:
    words = ("--parameter", "temperature=0.5", "--parameter", "max_tokens=", "--system-prompt", "")
    made = follow(a_source(), *words)
    candidate = System.objects.exclude(arm=made.baseline).get(arm__experiment=made)
    assert (candidate.parameters, candidate.system_prompt) == ({"temperature": 0.5}, "")


def test_after_a_switch_the_old_candidate_is_the_accepted_one() -> None:
    made = follow(a_source(), "--accepted", "system-2")
    assert System.objects.get(arm=made.baseline).name == "system-2"
    candidate = System.objects.exclude(arm=made.baseline).get(arm__experiment=made)
    assert candidate.system_prompt == "Be kind."


def test_with_several_candidates_somebody_says_which() -> None:
    source = a_collected_experiment(arms=3, slug="three")
    open_for_rating(experiment=source, by=None)
    close(experiment=source, by=None)
    assert "--like, one of system-2, system-3" in refusal("--from", "three", "--candidate", NEXT)
    source.refresh_from_db()
    assert follow(source, "--like", "system-3").follows == source


def test_a_price_by_the_token_is_not_taken_over_for_another_model() -> None:
    source = a_source()
    cost = {"input_per_million": 3.0, "output_per_million": 15.0}
    System.objects.filter(name="system-2").update(cost=cost)
    errors = StringIO()
    call_command("add_experiment", "--from", source.slug, "--candidate", NEXT, stdout=StringIO(), stderr=errors)
    made = Experiment.objects.latest("pk")
    assert System.objects.exclude(arm=made.baseline).get(arm__experiment=made).cost == {}
    assert "state what qwen3-8b costs" in errors.getvalue()
    assert "Accepted system: system-1 (the baseline of first" in errors.getvalue()


def test_assumptions_follow_with_the_new_arm() -> None:
    source = a_source()
    assert source.baseline
    values = {"requests_per_day": 4000, "systems": {source.baseline.code: {"gpus": 2}}}
    assumptions.state(experiment=source, values=values)
    made = follow(source)
    assert made.baseline
    assert assumptions.current(made) == {"requests_per_day": 4000, "systems": {made.baseline.code: {"gpus": 2}}}


def test_the_check_can_be_rated_and_its_report_shows_the_series() -> None:
    made = follow(a_source())
    answers(System.objects.exclude(arm=made.baseline).get(arm__experiment=made))
    open_for_rating(experiment=made, by=None)
    close(experiment=made, by=None)
    made.refresh_from_db()
    said = report.build(made)
    assert said["experiment"]["follows"] == "first"
    earlier, itself = said["context"]["series"]
    assert (earlier["slug"], earlier["answer"]) == ("first", "undecided")
    assert itself["slug"] == made.slug


def test_an_unfinished_experiment_is_not_followed() -> None:
    source = a_rating_experiment()
    assert "is rating, not closed" in refusal("--from", source.slug, "--candidate", NEXT)


def test_a_broken_seal_is_not_built_on() -> None:
    source = a_source()
    source.inputs.filter(position=1).update(reference="changed")
    assert "inputs were changed" in refusal("--from", source.slug, "--candidate", NEXT)


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["--candidate", "next=qwen3-8b@lokal"], "no endpoint is called 'lokal'. Did you mean 'local'"),
        (["--candidate", "system-1=qwen3-8b@local"], "give the candidate another name"),
        (["--candidate", "next=qwen3-8b"], "write NAME=MODEL@ENDPOINT"),
        (["--candidate", "@local"], "write NAME=MODEL@ENDPOINT"),
        ([], "needs the new version"),
        (["--candidate", NEXT, "--accepted", "sytem-1"], "Did you mean 'system-1'"),
        (["--candidate", NEXT, "--parameter", "temperature"], "write KEY=VALUE"),
        (["--candidate", NEXT, "--replace"], "--replace does not go with --from"),
        (["--candidate", NEXT, "some.toml"], "name a file, or a closed experiment"),
    ],
)
def test_what_cannot_be_is_refused_in_words(words: list[str], why: str) -> None:
    source = a_rated_experiment(slug="first")
    assert why in refusal("--from", source.slug, *words)


def test_a_source_without_a_baseline_needs_the_accepted_one_named() -> None:
    source = a_rated_experiment(baseline=False, slug="arena")
    assert "--accepted, one of system-1, system-2" in refusal("--from", "arena", "--candidate", NEXT)
    assert follow(source, "--accepted", "system-2").baseline


def test_an_option_of_the_check_alone_is_refused() -> None:
    assert "--candidate does not go with a file" in refusal("x.toml", "--candidate", NEXT)


def test_a_models_name_may_hold_signs() -> None:
    read = Candidate.read("next=hub/model@v2=x@local")
    assert (read.name, read.model, read.endpoint) == ("next", "hub/model@v2=x", "local")
    assert parameter("stop=word") == ("stop", "word")
    with pytest.raises(CannotFollow, match="80 characters"):
        Candidate.read(f"{'n' * 81}=m@e")


def test_nothing_is_written_where_the_candidate_cannot_be() -> None:
    source = a_source()
    why = refusal("--from", source.slug, "--candidate", NEXT, "--parameter", "messages=1")
    assert "messages" in why
    assert not System.objects.filter(name="next").exists()
