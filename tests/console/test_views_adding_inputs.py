"""Inputs from a file or pasted: previewed with what is wrong, then taken; the file itself is kept for nobody."""

from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from accounts.models import User
from console import retention, staging
from experiments.models import Experiment, Input, Output, Staged, StagedPart
from tests.factories import a_rating_experiment, an_experiment

pytestmark = pytest.mark.django_db
GOOD = "".join(f'{{"id": "t-{n}", "input": "Where is parcel {n}?", "tags": ["late"]}}\n' for n in range(1, 15))


@pytest.fixture
def experiment(client: Client) -> Experiment:
    owner = User.objects.create_user("owner@example.org")
    client.force_login(owner)
    return an_experiment(inputs=0, owner=owner)


def send(client: Client, experiment: Experiment, content: str | bytes, name: str = "log.jsonl") -> str:
    """Upload; the address of the preview."""
    data = content if isinstance(content, bytes) else content.encode()
    answer = client.post(f"/experiments/{experiment.pk}/inputs/new/", {"file": SimpleUploadedFile(name, data)})
    assert answer.status_code == 302
    return str(answer.headers["Location"])


def take(client: Client, experiment: Experiment, preview: str, **more: object) -> str:
    fields = {name: value[0] for name, value in parse_qs(urlsplit(preview).query).items()}
    path = f"/experiments/{experiment.pk}/inputs/taking/"
    return client.post(path, fields | more, follow=True).content.decode()


def test_a_file_is_shown_before_it_is_taken(client: Client, experiment: Experiment) -> None:
    preview = send(client, experiment, GOOD)
    text = client.get(preview).content.decode()
    assert "14 inputs found" in text
    assert "The first 10 rows" in text
    assert "Where is parcel 10?" in text
    assert "Where is parcel 11?" not in text
    assert "JSONL" in text
    assert not Input.objects.exists()
    assert "14 inputs were added." in take(client, experiment, preview)
    assert list(Input.objects.values_list("external_id", flat=True)) == [f"t-{n}" for n in range(1, 15)]
    assert not StagedPart.objects.exists()


def test_pasted_text_will_do(client: Client, experiment: Experiment) -> None:
    answer = client.post(f"/experiments/{experiment.pk}/inputs/new/", {"text": "id,input\r\na,One?\r\nb,Two?\r\n"})
    take(client, experiment, str(answer.headers["Location"]))
    assert dict(Input.objects.values_list("external_id", "messages")) == {
        "a": [{"role": "user", "content": "One?"}],
        "b": [{"role": "user", "content": "Two?"}],
    }


def test_neither_or_both_is_asked_about(client: Client, experiment: Experiment) -> None:
    path = f"/experiments/{experiment.pk}/inputs/new/"
    assert "Choose a file, or paste" in client.post(path, {"text": "  "}).content.decode()


def test_bad_rows_are_named_and_only_the_good_ones_taken(client: Client, experiment: Experiment) -> None:
    preview = send(client, experiment, 'id,input\na,One?\nb,\na,Three?\nc,"=HYPERLINK(1)"\n', "log.csv")
    text = client.get(preview).content.decode()
    assert "2 rows cannot be used." in text
    assert "Line 3" in text
    assert "Take the 2 good rows" in text
    listed = client.get(preview.replace("/preview/", "/problems/"))
    assert listed.headers["Content-Type"].startswith("text/csv")
    assert len(listed.content.decode().strip().splitlines()) == 3
    take(client, experiment, preview)
    assert list(Input.objects.values_list("external_id", flat=True)) == ["a", "c"]


def test_tags_by_name_are_shown_with_their_values(client: Client, experiment: Experiment) -> None:
    preview = send(client, experiment, "id,input,segment\na,One?,refund\n", "log.csv")
    assert "segment: refund" in client.get(preview).content.decode()
    take(client, experiment, preview)
    assert "segment: refund" in client.get(f"/experiments/{experiment.pk}/inputs/").content.decode()


def test_a_sample_is_drawn_by_the_seed(client: Client, experiment: Experiment) -> None:
    assert "5 inputs were added." in take(client, experiment, send(client, experiment, GOOD), sample=5)
    first = list(Input.objects.values_list("external_id", flat=True))
    client.post(f"/experiments/{experiment.pk}/inputs/removing/")
    take(client, experiment, send(client, experiment, GOOD), sample=5)
    assert list(Input.objects.values_list("external_id", flat=True)) == first


def test_another_column_can_be_chosen(client: Client, experiment: Experiment) -> None:
    preview = send(client, experiment, "id,frage,antwort\na,Wo?,Da.\n", "log.csv")
    text = client.get(preview).content.decode()
    assert "cannot be read as it is" in text
    assert "frage" in text
    chosen = f"{preview}&column_input=frage"
    assert "1 input found" in client.get(chosen).content.decode()
    take(client, experiment, chosen)
    assert Input.objects.get().messages[0]["content"] == "Wo?"


def test_an_encoding_is_only_used_when_it_is_said(client: Client, experiment: Experiment) -> None:
    preview = send(client, experiment, "id,input\na,Grün?\n".encode("cp1252"), "log.csv")
    assert "Windows-1252" in client.get(preview).content.decode()
    take(client, experiment, f"{preview}&encoding=cp1252")
    assert Input.objects.get().messages[0]["content"] == "Grün?"


def test_recorded_answers_in_the_file_become_systems_when_wanted(client: Client, experiment: Experiment) -> None:
    lines = '{"id": "a", "input": "One?", "outputs": {"ours": "Yes.", "theirs": "No."}}\n'
    preview = send(client, experiment, lines)
    assert "ours, theirs" in client.get(preview).content.decode()
    take(client, experiment, preview, with_systems="on")
    assert set(Output.objects.values_list("text", flat=True)) == {"Yes.", "No."}
    assert "ours" in client.get(f"/experiments/{experiment.pk}/systems/").content.decode()


def test_an_input_that_is_there_already_is_refused(client: Client, experiment: Experiment) -> None:
    take(client, experiment, send(client, experiment, GOOD))
    assert "already" in take(client, experiment, send(client, experiment, GOOD))
    assert Input.objects.count() == 14


@pytest.mark.parametrize(
    "content",
    [b"\x89PNG\r\n\x1a\n" + bytes(50), b"PK\x03\x04" + bytes(60), b"<!doctype html><p>x", b"{'a': 1}", b"\xff\xfe\x00"],
)
def test_a_file_that_is_no_log_gets_a_sentence(client: Client, experiment: Experiment, content: bytes) -> None:
    answer = client.get(send(client, experiment, content, "log.csv"))
    assert answer.status_code == 200
    assert 'role="alert"' in answer.content.decode() or "cannot be used" in answer.content.decode()


def test_a_handle_of_another_experiment_opens_nothing(client: Client, experiment: Experiment) -> None:
    other = an_experiment(inputs=0, owner=User.objects.get())
    stolen = send(client, experiment, GOOD).replace(f"/{experiment.pk}/", f"/{other.pk}/")
    assert client.get(stolen).headers["Location"] == f"/experiments/{other.pk}/inputs/new/"
    for handle in ("../../secret", "*", "", "x" * 22, "%00"):
        assert client.get(f"/experiments/{other.pk}/inputs/preview/?upload={handle}").status_code == 302
    assert not Input.objects.exists()


def test_after_the_seal_no_input_is_added_or_removed(client: Client, experiment: Experiment) -> None:
    sealed = a_rating_experiment(owner=User.objects.get())
    handle = staging.keep(sealed, [GOOD.encode()])
    text = take(client, sealed, f"?upload={handle}&name=log.jsonl")
    assert "can no longer be changed" in text
    client.post(f"/experiments/{sealed.pk}/inputs/removing/")
    assert sealed.inputs.count() == 3


def test_deleting_an_experiment_deletes_what_was_uploaded_for_it(client: Client, experiment: Experiment) -> None:
    send(client, experiment, GOOD)
    assert StagedPart.objects.count() == 1
    client.post(f"/experiments/{experiment.pk}/delete/", {"slug": experiment.slug})
    assert not StagedPart.objects.exists()


def test_a_file_that_nobody_took_is_swept_away_after_a_day(experiment: Experiment) -> None:
    staging.keep(experiment, [b"x"])
    staging.sweep(now=timezone.now() + timedelta(hours=23))
    assert Staged.objects.exists()
    retention.sweep(timezone.now() + timedelta(hours=25))
    assert not Staged.objects.exists()
    assert not StagedPart.objects.exists()


def test_a_large_file_is_kept_in_pieces_and_comes_back_whole(experiment: Experiment) -> None:
    content = bytes(range(256)) * 10_000
    handle = staging.keep(experiment, (content[at : at + 70_000] for at in range(0, len(content), 70_000)))
    assert StagedPart.objects.count() == 3
    staged = staging.kept(experiment, handle)
    assert staged is not None
    with staged:
        assert staged.read() == content


def test_a_file_over_the_limit_is_refused_before_it_is_kept(client: Client, experiment: Experiment) -> None:
    file = SimpleUploadedFile("log.csv", b"id,input\n" + b"x" * 20_000_000)
    answer = client.post(f"/experiments/{experiment.pk}/inputs/new/", {"file": file})
    assert answer.status_code == 413
    assert "The file has 20.0 MB; at most 20.0 MB are taken." in answer.content.decode()
    assert not Staged.objects.exists()


def test_columns_chosen_once_are_proposed_for_the_next_file_with_the_same_header(
    client: Client, experiment: Experiment
) -> None:
    first = send(client, experiment, "id,frage,antwort\na,Wo?,Da.\n", "log.csv")
    take(client, experiment, f"{first}&column_input=frage&output_columns=antwort", with_systems="on")
    assert set(Output.objects.values_list("text", flat=True)) == {"Da."}
    second = send(client, experiment, "antwort,frage,id\nHier.,Wohin?,b\n", "other.csv")
    assert "column_input=frage" in second
    text = client.get(second).content.decode()
    assert "as you took them last" in text
    assert "1 input found" in text
    client.force_login(User.objects.create_user("other@example.org"))
    experiment.owners.add(User.objects.latest("pk"))
    assert "column_input" not in send(client, experiment, "id,frage,antwort\nc,Wo?,Da.\n", "log.csv")


def test_a_separator_can_be_said(client: Client, experiment: Experiment) -> None:
    preview = send(client, experiment, "input;notes,more,most\nOne?;a,b,c\n", "log.csv")
    assert "cannot be read as it is" in client.get(preview).content.decode()
    assert "1 input found" in client.get(f"{preview}&delimiter=%3B").content.decode()


def test_what_is_wrong_with_the_choice_leads_back_to_the_preview(client: Client, experiment: Experiment) -> None:
    preview = send(client, experiment, '{"id": "a", "input": "Write to ada@example.org."}\n')
    text = client.get(preview).content.decode()
    assert "Found in these rows: 1 e-mail address." in text
    assert "<mark>ada@example.org</mark>" in text
    refused = take(client, experiment, preview)
    assert "say whether they are masked" in refused
    assert "1 input found" in refused
    assert not Input.objects.exists()
