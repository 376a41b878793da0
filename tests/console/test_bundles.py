"""A bundle comes back whole: the same report, the same seal; a damaged, changed or foreign one not at all."""

import hashlib
import json
import zipfile
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from io import BytesIO, StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from accounts.actions import log
from accounts.models import Event
from backends.models import Completion, LoadRun, System
from backends.sealing import commitment
from console import bundle_file
from console.actions import close, delete, open_for_rating
from console.command import Refusal
from console.views.log import of as log_of
from experiments.actions import decide_output
from experiments.models import Criterion, Experiment, Output
from experiments.sealing import changes
from ratings.leaving_out import leave_out
from ratings.models import Assignment, Comparison, CriterionVerdict, Guess, Judgment, Rater
from reports import assumptions, downloads, report
from reports.exports import write
from reports.models import Benchmark
from tests.factories import NOW, a_collected_experiment, a_judgment, a_rater, a_user
from tests.reports import studies

pytestmark = pytest.mark.django_db


def an_original(**fields: Any) -> Experiment:
    """Closed after everything that can happen: flags, failures, samples, skips, repeats, controls, changed minds."""
    experiment = a_collected_experiment(inputs=5, slug="original", ask_guess=True, **fields)
    experiment.inputs.get(position=2).delete()
    experiment.inputs.filter(position=3).update(tags={"lang": "en"}, reference="Yes.\u2028No.")
    accuracy = Criterion.objects.create(experiment=experiment, position=1, name="accuracy", description="True?")
    baseline, candidate = studies.systems(experiment)
    System.objects.filter(pk=baseline.pk).update(cost=studies.API, parameters={"temperature": 0.1})
    System.objects.filter(pk=candidate.pk).update(cost=studies.GPU, facts={"licence": "apache-2.0"}, samples=2)
    measured(candidate)
    held = Output.objects.filter(arm=candidate.arm).latest("pk")
    decide_output(output=held, decision="withheld", reason="private")
    open_for_rating(experiment=experiment, by=None)
    judged(experiment, accuracy)
    close(experiment=experiment, by=None)
    experiment.refresh_from_db()
    assumptions.state(experiment=experiment, values={"requests_per_day": 100})
    assumptions.state(experiment=experiment, values={"systems": {candidate.arm.code: {"gpus": 2}}})
    dated = date(2026, 10, 1)
    Benchmark.objects.create(arm=candidate.arm, name="IFEval", score=61.5, source="a leaderboard", dated=dated)
    return experiment


def measured(system: System) -> None:
    first, last = (system.arm.experiment.inputs.get(position=number) for number in (1, 4))
    Completion.objects.create(
        system=system, input=first, sample=1, state="done", outcome="complete", raw_text="again", latency_ms=512.125
    )
    Completion.objects.create(
        system=system, input=last, sample=1, state="failed", failure_kind="rate_limit", sentence="Slow down."
    )
    LoadRun.objects.create(
        system=system, concurrency=4, requests=40, seconds=10.5, throughput=3.8, quantiles={"p50": 9}
    )


def judged(experiment: Experiment, accuracy: Criterion) -> None:
    pairs = list(Comparison.objects.filter(input__experiment=experiment).order_by("pk"))
    for number in range(1, 4):
        rater = a_rater(experiment, f"Rater {number}", email="someone@example.org")
        for turn, pair in enumerate(pairs):
            verdict = ["left", "right", "both_good"][(turn + number) % 3]
            made = a_judgment(pair, rater, verdict=verdict, swap=turn % 2 == 0, comment="=1+1 “fine”")
            CriterionVerdict.objects.create(judgment=made, criterion=accuracy, verdict="both_bad")
    first = Judgment.objects.earliest("pk")
    studies.shown_again(first, verdict="right")
    studies.changed(studies.changed(first, "both_bad"), "right")
    studies.a_control(experiment, first.assignment.rater, right=True)
    Guess.objects.create(assignment=first.assignment, side="unsure")
    skipped = Assignment.objects.latest("pk")
    a_rater(experiment, "Never came")
    leave_out(rater=experiment.raters.get(label="Rater 3"), by=None)
    Assignment.objects.filter(pk=skipped.pk).update(skipped_at=NOW, skip_reason="unclear")


def bundle_of(experiment: Experiment) -> bytes:
    stream = BytesIO()
    write(experiment, "bundle", stream)
    return stream.getvalue()


def run(path: Path, *words: str, errors: StringIO | None = None) -> Experiment:
    out = StringIO()
    call_command("import_bundle", str(path), *words, "--json", stdout=out, stderr=errors or StringIO())
    return Experiment.objects.get(pk=json.loads(out.getvalue())["id"])


def refusal(path: Path, *words: str) -> str:
    before = Experiment.objects.count()
    with pytest.raises(Refusal) as error:
        run(path, *words)
    assert Experiment.objects.count() == before
    return str(error.value)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "original.zip"
    path.write_bytes(bundle_of(an_original()))
    return path


def contents(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_it_comes_back_with_the_same_report_and_the_same_bundle(file: Path) -> None:
    original = Experiment.objects.get()
    before, said = contents(file.read_bytes()), report.build(original)
    delete(experiment=original, by=None)
    returned = run(file)
    again = report.build(returned)
    for one in (said, again):
        one["experiment"].pop("id")
    assert again == said
    after = contents(bundle_of(returned))
    loose = {"comparisons.jsonl", "assignments.jsonl", "judgments.jsonl", "guesses.jsonl", "manifest.json"}
    whole = {name for name in before if not name.startswith("report.")} - loose
    assert [name for name in sorted(whole) if before[name] != after[name]] == []
    for name in ("assignments.jsonl", "judgments.jsonl", "guesses.jsonl", "comparisons.jsonl"):
        assert len(list(unkeyed(before[name]))) == len(list(unkeyed(after[name]))) > 0
        if name != "comparisons.jsonl":
            assert list(unkeyed(before[name])) == list(unkeyed(after[name])), name


def test_whoever_was_left_out_stays_so_and_the_report_stays_what_it_was(file: Path) -> None:
    said = report.build(Experiment.objects.get())
    assert said["counts"]["left_out_raters"] == 1
    returned = run(file)
    assert list(returned.raters.filter(left_out_at__isnull=False).values_list("label", flat=True)) == ["Rater 3"]
    theirs = Assignment.objects.filter(rater__experiment=returned, rater__label="Rater 3", counts__isnull=False)
    assert set(theirs.values_list("counts", flat=True)) == {False}
    again = report.build(returned)
    assert (again["counts"], again["pairs"], again["left_out"]) == (said["counts"], said["pairs"], said["left_out"])


def test_a_bundle_of_before_that_could_be_said_counts_everybody(file: Path) -> None:
    def older(name: str, content: bytes) -> bytes:
        if name not in {"raters.jsonl", "judgments.jsonl"}:
            return content
        rows = [json.loads(line) for line in content.split(b"\n")[:-1]]
        kept = [{key: value for key, value in row.items() if not key.startswith("left_out")} for row in rows]
        return b"".join(json.dumps(row).encode() + b"\n" for row in kept)

    rewritten(file, older)
    returned = run(file)
    assert not returned.raters.filter(left_out_at__isnull=False).exists()
    here, there = (report.build(one)["counts"] for one in (returned, Experiment.objects.earliest("pk")))
    assert here["judgments"] > there["judgments"]


def unkeyed(lines: bytes) -> Iterator[dict[str, Any]]:
    """Without the keys of rows, which are others here, and the side that goes by them."""
    for line in lines.split(b"\n")[:-1]:
        row = json.loads(line)
        yield {
            name: value is None if name in {"supersedes", "repeat_of"} else value
            for name, value in row.items()
            if name not in {"judgment", "assignment", "comparison"}
            and not (name == "left" and value in {"first", "second"})
        }


def test_the_seal_is_kept_and_holds(file: Path) -> None:
    original = Experiment.objects.get()
    returned = run(file)
    assert (returned.seal, returned.status, returned.sealed_at) == (original.seal, "closed", original.sealed_at)
    assert changes(returned, commitment=commitment(returned)) == []


def test_links_and_addresses_of_raters_stay_behind(file: Path) -> None:
    assert b"someone@example.org" not in b"".join(contents(file.read_bytes()).values())
    returned = run(file)
    assert set(Rater.objects.filter(experiment=returned).values_list("token_hash", "email")) == {(None, "")}
    assert returned.raters.count() == 4


def test_a_second_copy_has_a_name_of_its_own_and_says_so(file: Path) -> None:
    errors = StringIO()
    assert run(file, errors=errors).slug == "original-2"
    assert "here already, as original" in errors.getvalue()


def test_it_goes_to_the_owner_named(file: Path) -> None:
    owner = a_user("ann@example.org")
    assert list(run(file, "--owner", "Ann@example.org").owners.all()) == [owner]
    assert "nobody here has the address" in refusal(file, "--owner", "bob@example.org")


def test_the_series_is_tied_again_where_it_fits(tmp_path: Path) -> None:
    first = an_original()
    call = {"inputs": first.sealed["inputs"]}
    follower = an_original_that_follows(first)
    path = tmp_path / "second.zip"
    path.write_bytes(bundle_of(follower))
    delete(experiment=follower, by=None)
    assert run(path).follows == first
    Experiment.objects.filter(pk=first.pk).update(sealed=call | {"inputs": "other"})
    assert run(path).follows is None


def test_a_bundle_is_tied_to_nothing_of_another_owner(tmp_path: Path) -> None:
    """Whoever knows the inputs could else have the figures of another's study beside their own."""
    first = an_original()
    first.owners.add(a_user("ann@example.org"))
    follower = an_original_that_follows(first)
    path = tmp_path / "second.zip"
    path.write_bytes(bundle_of(follower))
    bob, errors = a_user("bob@example.org"), StringIO()
    assert run(path, "--owner", bob.email, errors=errors).follows is None
    assert errors.getvalue() == ""  # nor is it told that the same one is here
    first.owners.add(bob)
    assert run(path, "--owner", bob.email).follows == first


def test_a_bundle_does_not_inherit_the_log_of_its_name(tmp_path: Path) -> None:
    """Its short name and its times are what its maker wrote: those of somebody's experiment that was deleted, say."""
    original = an_original()
    path = tmp_path / "x.zip"
    path.write_bytes(bundle_of(original))
    log(None, "added an owner", "experiment original", owner="ann@example.org")
    log(None, "exported", "experiment original", format="csv", sha256="a" * 64)
    delete(experiment=original, by=None)
    returned = run(path)
    assert returned.slug == "original"
    assert returned.created_at < Event.objects.earliest("pk").at
    assert list(log_of(returned).values_list("verb", flat=True)) == ["imported"]
    assert {one.checksum for one in downloads.exports(returned)} == {""}
    log(None, "exported", "experiment original", format="csv", sha256="b" * 64)
    assert {one.checksum for one in downloads.exports(returned)} == {"", "b" * 64}


def an_original_that_follows(first: Experiment) -> Experiment:
    experiment = a_collected_experiment(inputs=5, slug="second", follows=first)
    experiment.inputs.get(position=2).delete()
    experiment.inputs.filter(position=3).update(tags={"lang": "en"}, reference="Yes.\u2028No.")
    open_for_rating(experiment=experiment, by=None)
    close(experiment=experiment, by=None)
    experiment.refresh_from_db()
    return experiment


def test_one_past_its_retention_is_kept_until_somebody_deletes_it(tmp_path: Path) -> None:
    original = an_original(retention_days=5)
    Experiment.objects.update(closed_at=datetime.now(UTC) - timedelta(days=9))
    original.refresh_from_db()
    path = tmp_path / "x.zip"
    path.write_bytes(bundle_of(original))
    errors = StringIO()
    assert run(path, errors=errors).retention_days is None
    assert "5 days after its closing" in errors.getvalue()


def rewritten(path: Path, change: Callable[[str, bytes], bytes | None], *, mend: bool = True) -> None:
    """Other members, by default under a manifest that fits them, as a forger would."""
    kept = {name: change(name, content) for name, content in contents(path.read_bytes()).items()}
    members = {name: content for name, content in kept.items() if content is not None}
    if mend:
        manifest = json.loads(members["manifest.json"])
        for name in list(manifest["files"]):
            if name in members:
                digest = hashlib.sha256(members[name]).hexdigest()
                manifest["files"][name] = {"sha256": digest, "bytes": len(members[name])}
        members["manifest.json"] = json.dumps(manifest).encode()
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)


def swap(member: str, was: bytes, now: bytes) -> Callable[[str, bytes], bytes]:
    def change(name: str, content: bytes) -> bytes:
        assert name != member or was in content
        return content.replace(was, now) if name == member else content

    return change


def assuming(values: dict[str, Any]) -> Callable[[str, bytes], bytes]:
    """The bundle with one record of assumptions."""
    line = json.dumps({"values": values, "stated_at": "2026-11-02T09:00:00+00:00"}).encode() + b"\n"
    return lambda name, content: line if name == "assumptions.jsonl" else content


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (
            swap("judgments.jsonl", b'"verdict": "left"', b'"verdict": "right"'),
            "judgments.jsonl is damaged or was changed",
        ),
        (swap("experiment.json", b'"margin": 0.1', b'"margin": 0.2'), "experiment.json is damaged or was changed"),
        (lambda name, content: None if name == "outputs.jsonl" else content, "outputs.jsonl is missing"),
        (lambda name, content: None if name == "report.md" else content, "report.md is missing"),
        (lambda name, content: None if name == "manifest.json" else content, "it has no manifest.json"),
        (lambda name, content: b"[]" if name == "manifest.json" else content, "manifest.json is damaged"),
        (swap("manifest.json", b"blindpair.bundle/1", b"blindpair.bundle/9"), "another version made it"),
        (lambda name, content: bytes(90_000_000) if name == "outputs.jsonl" else content, "outputs.jsonl is damaged"),
    ],
)
def test_a_damaged_bundle_is_refused_naming_the_member(
    file: Path, change: Callable[[str, bytes], bytes | None], why: str
) -> None:
    rewritten(file, change, mend=False)
    assert why in refusal(file)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (swap("outputs.jsonl", b"Answer of", b"Lies of"), "seal does not hold, so the bundle was changed: The texts"),
        (swap("experiment.json", b'"margin": 0.1', b'"margin": 0.2'), "The record of the seal itself was changed"),
        (
            lambda name, content: content.replace(b"0.1,", b"0.2,", 1) if name == "experiment.json" else content,
            "The protocol was changed: margin",
        ),
        (swap("systems.jsonl", b"apache-2.0", b"mit"), "The mapping of arms to systems was changed"),
        (swap("inputs.jsonl", b"Question number 1", b"Question number 9"), "The inputs were changed"),
        (swap("outputs.jsonl", b"<p>", b"<script>alert(1)</script><p>"), "outputs.jsonl, line 1: 'html' holds what no"),
        (swap("judgments.jsonl", b'"both_good"', b'"tie"'), "'verdict' is 'tie', which is unknown"),
        (swap("assignments.jsonl", b'"Rater 2"', b'"Rater 9"'), "'rater' is 'Rater 9', which is not in the bundle"),
        (swap("judgments.jsonl", b'"seconds": 30.0', b'"seconds": NaN'), "NaN is no JSON"),
        (swap("judgments.jsonl", b'"seconds": 30.0', b'"seconds": -1'), "its rows contradict each other"),
        (swap("judgments.jsonl", b"fine", b"\\u0000"), "U+0000 cannot be stored"),
        (swap("judgments.jsonl", b"fine", b"\\ud800"), "judgments.jsonl, line 1: no JSON that can be read"),
        (swap("completions.jsonl", b'"sample": 0', b'"sample": "0"'), "completions.jsonl, line 1: 'sample' must be"),
        (swap("experiment.json", b'"status": "closed"', b'"status": "rating"'), "'status' is 'rating'"),
        (lambda name, content: b"[1]\n" if name == "guesses.jsonl" else content, "guesses.jsonl, line 1: an object"),
        (lambda name, content: b"" if name == "raters.jsonl" else content, "assignments.jsonl, line 1: 'rater' is"),
        (lambda name, content: content + content if name == "judgments.jsonl" else content, "is there twice"),
        (assuming({"requests_per_day": "many"}), "line 1: 'values': requests_per_day must be a number, not 'many'."),
        (assuming({"systems": {"abc": []}}), "line 1: 'values': systems must be an object of objects."),
        (swap("judgments.jsonl", b'"supersedes": null', b'"supersedes": []'), "line 1: 'supersedes' must be"),
        (swap("assignments.jsonl", b'"repeat_of": null', b'"repeat_of": {}'), "line 1: 'repeat_of' must be"),
    ],
)
def test_a_forged_bundle_is_refused_whole(file: Path, change: Callable[[str, bytes], bytes], why: str) -> None:
    judgments = Judgment.objects.count()
    rewritten(file, change)
    assert why in refusal(file)
    assert Judgment.objects.count() == judgments


def test_a_bomb_is_not_read(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rewritten(file, lambda name, content: bytes(90_000_000) if name == "outputs.jsonl" else content)
    assert "90,000,000; it is not read" in refusal(file)
    monkeypatch.setattr(bundle_file, "LARGEST", 1_000)
    assert "more than 1,000 bytes" in refusal(file)


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (lambda path: path.write_text("id,prompt\n"), "no bundle"),
        (lambda path: path.write_bytes(path.read_bytes()[:-50]), "cut off, or no zip file"),
        (lambda path: path.unlink(), "does not exist"),
        (lambda path: (path.unlink(), path.mkdir()), "is no file"),
    ],
)
def test_what_is_no_bundle_is_refused(file: Path, spoil: Callable[[Path], object], why: str) -> None:
    spoil(file)
    assert why in refusal(file)


def test_a_member_that_is_there_twice_is_refused(file: Path) -> None:
    with pytest.warns(UserWarning, match="Duplicate name"), zipfile.ZipFile(file, "a") as archive:
        archive.writestr("judgments.jsonl", "{}\n")
    assert "'judgments.jsonl' is not in its manifest, or is there twice" in refusal(file)
