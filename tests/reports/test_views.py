"""The owner's pages: whose they are, closed until the experiment is, and what they show then."""

import hashlib
import io
import zipfile
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db.models.sql import compiler
from django.db.models.sql.compiler import cursor_iter
from django.test import Client
from django.urls import reverse

from backends import price_list
from backends.models import System
from experiments.models import Experiment
from ratings.models import Judgment
from reports.exports import FORMATS
from reports.exports.bundle import NAMES
from reports.models import Assumptions
from reports.report import current
from tests.factories import a_user, an_endpoint
from tests.reports import studies

pytestmark = pytest.mark.django_db
URLS = [
    ("report", []),
    ("report-pairs", []),
    ("exports", []),
    *(("report-file", [name]) for name in ("json", "md", "html", "pdf")),
    *(("export-file", [name]) for name in sorted(FORMATS)),
]


@pytest.fixture
def owner(client: Client) -> Any:
    """Signed in."""
    user = a_user()
    client.force_login(user)
    return user


@pytest.fixture
def study(owner: Any) -> Callable[..., Experiment]:
    """A study of the owner's."""

    def made(**fields: Any) -> Experiment:
        experiment = studies.a_study(**({"inputs": 4, "raters": 4} | fields))
        experiment.owners.add(owner)
        return experiment

    return made


@pytest.mark.parametrize(("name", "rest"), URLS)
def test_until_closing_every_address_answers_409_and_names_nobody(
    client: Client, study: Callable[..., Experiment], name: str, rest: list[str]
) -> None:
    experiment = study(closed=False)
    response = client.get(reverse(name, args=[experiment.pk, *rest]))
    assert response.status_code == 409
    assert b"candidate" not in response.content
    assert b"16 of 12" in response.content  # progress, no direction


def test_assumptions_cannot_be_stated_on_the_page_before_closing(
    client: Client, study: Callable[..., Experiment]
) -> None:
    assert client.post(reverse("report-assumptions", args=[study(closed=False).pk]), {}).status_code == 409
    assert not Assumptions.objects.exists()


@pytest.mark.parametrize(("name", "rest"), URLS)
@pytest.mark.parametrize("closed", [True, False])
def test_a_stranger_gets_404_whatever_the_state(
    client: Client, owner: Any, name: str, rest: list[str], closed: bool
) -> None:
    experiment = studies.a_study(inputs=1, raters=1, closed=closed)
    assert client.get(reverse(name, args=[experiment.pk, *rest])).status_code == 404
    assert client.get(reverse(name, args=[experiment.pk + 1, *rest])).status_code == 404


def test_nobody_sees_a_report_without_signing_in(client: Client) -> None:
    experiment = studies.a_study(inputs=1, raters=1)
    response = client.get(reverse("report", args=[experiment.pk]))
    assert response.status_code == 302
    assert response["Location"].startswith("/login/")


def test_the_page_shows_the_verdict_and_the_three_numbers(client: Client, study: Callable[..., Experiment]) -> None:
    experiment = study()
    page = client.get(reverse("report", args=[experiment.pk])).content.decode()
    report = current(experiment)
    assert report["verdict"]["sentence"] in page
    for heading in ("Quality", "Latency", "Cost", "Break-even", "Failures", "Raters", "Blinding", "Method", "Seal"):
        assert f">{heading}</h" in page
    assert report["experiment"]["seal"] in page


@pytest.mark.parametrize(("name", "place"), [("report", "Report"), ("report-pairs", "Pairs"), ("exports", "Exports")])
def test_each_of_these_pages_stands_in_the_frame_of_its_experiment(
    client: Client, study: Callable[..., Experiment], name: str, place: str
) -> None:
    experiment = study()
    page = client.get(reverse(name, args=[experiment.pk])).content.decode()
    assert f"<title>{place} · {experiment.title} · Blindpair</title>" in page
    assert '<span class="pill">closed</span>' in page
    assert page.count('aria-current="page"') == 2


def test_the_page_asks_the_database_little_once_the_report_is_stored(
    client: Client, study: Callable[..., Experiment], django_assert_max_num_queries: Any
) -> None:
    experiment = study()
    current(experiment)
    with django_assert_max_num_queries(40):
        client.get(reverse("report", args=[experiment.pk]))


def test_no_page_has_inline_styles_or_scripts(client: Client, study: Callable[..., Experiment]) -> None:
    experiment = study()
    for name in ("report", "report-pairs", "exports"):
        page = client.get(reverse(name, args=[experiment.pk])).content.decode()
        assert " style=" not in page
        assert "<style" not in page
        assert "onclick" not in page


def test_every_export_downloads_with_its_checksum(client: Client, study: Callable[..., Experiment]) -> None:
    experiment = study()
    for name in FORMATS:
        response = client.get(reverse("export-file", args=[experiment.pk, name]))
        content = b"".join(response.streaming_content)  # type: ignore[attr-defined]  # a file response streams
        assert response.status_code == 200, name
        assert response["X-Checksum-Sha256"] == hashlib.sha256(content).hexdigest()
        assert experiment.slug in response["Content-Disposition"]


def test_the_exports_page_shows_of_each_format_a_line_that_its_file_has(
    client: Client, study: Callable[..., Experiment]
) -> None:
    experiment = study()
    shown = {one.name: one for one in client.get(reverse("exports", args=[experiment.pk])).context["exports"]}
    assert set(shown) == set(FORMATS)
    for name in ("jsonl", "battles", "dpo", "kto"):
        lines = b"".join(client.get(shown[name].url)).decode().splitlines()
        assert any(line.startswith(shown[name].preview.rstrip("…")) for line in lines), name
    for name in ("csv", "evalica"):
        first = b"".join(client.get(shown[name].url)).decode("utf-8-sig").splitlines()[0]
        assert first.startswith(shown[name].preview.rstrip("…").replace(", ", ",")), name
    archive = zipfile.ZipFile(io.BytesIO(b"".join(client.get(shown["bundle"].url))))
    assert ", ".join(archive.namelist()).startswith(shown["bundle"].preview.rstrip("…"))
    assert shown["parquet"].preview == shown["xlsx"].preview == shown["csv"].preview


def test_the_bundle_has_the_files_that_are_named_before_it_is_made(
    client: Client, study: Callable[..., Experiment]
) -> None:
    content = b"".join(client.get(reverse("export-file", args=[study().pk, "bundle"])))
    assert tuple(zipfile.ZipFile(io.BytesIO(content)).namelist()) == NAMES


def test_the_exports_page_shows_the_checksum_of_each_last_download(
    client: Client, study: Callable[..., Experiment]
) -> None:
    experiment = study()
    page = reverse("exports", args=[experiment.pk])
    assert [one.checksum for one in client.get(page).context["exports"]] == [""] * len(FORMATS)
    digests = {}
    for name in FORMATS:
        content = b"".join(client.get(reverse("export-file", args=[experiment.pk, name])))
        digests[name] = hashlib.sha256(content).hexdigest()
    answer = client.get(page)
    assert {one.name: one.checksum for one in answer.context["exports"]} == digests
    assert digests["csv"] in answer.content.decode()


def test_previews_read_the_judgments_of_the_first_inputs_alone(
    client: Client, study: Callable[..., Experiment], monkeypatch: pytest.MonkeyPatch
) -> None:
    fetched: list[int] = []

    def counting(*given: Any) -> Iterator[list[Any]]:
        for rows in cursor_iter(*given):
            fetched.append(len(rows))
            yield rows

    def rows_for(inputs: int) -> int:
        page = reverse("exports", args=[study(inputs=inputs, raters=4).pk])
        client.get(page)
        fetched.clear()
        client.get(page)
        return sum(fetched)

    monkeypatch.setattr(compiler, "cursor_iter", counting)
    few, many = rows_for(6), rows_for(60)
    assert 0 < many <= few


def test_changed_assumptions_are_kept_with_their_date_and_change_cost(
    client: Client, study: Callable[..., Experiment]
) -> None:
    experiment = study()
    before = current(experiment)
    response = client.post(reverse("report-assumptions", args=[experiment.pk]), {"requests_per_day": "50000"})
    assert response.status_code == 302
    after = current(experiment)
    assert [row.values["requests_per_day"] for row in Assumptions.objects.all()] == [50_000]
    assert after["systems"][0]["cost"] != before["systems"][0]["cost"]
    assert after["pairs"] == before["pairs"]
    page = client.get(reverse("report", args=[experiment.pk])).content.decode()
    assert "Requests a day 50000" in page


def test_prices_of_one_system_can_be_changed_alone(client: Client, study: Callable[..., Experiment]) -> None:
    experiment = study()
    baseline, candidate = studies.systems(experiment)
    field = f"{candidate.arm.code}-gpu_hourly"
    client.post(reverse("report-assumptions", args=[experiment.pk]), {field: "3.28", "requests_per_day": "1000"})
    costs = {system["arm"]: system["cost"] for system in current(experiment)["systems"]}
    assert costs[candidate.arm.code]["per_1000_requests"]["value"] == pytest.approx(3.28 * 24)
    assert costs[baseline.arm.code]["basis"] == "tokens"


def test_listed_prices_stand_in_the_form_and_count_only_once_they_are_used(
    client: Client, study: Callable[..., Experiment]
) -> None:
    experiment = study()
    baseline, _ = studies.systems(experiment)
    endpoint = an_endpoint(dialect="anthropic", preset="anthropic", base_url="")
    System.objects.filter(pk=baseline.pk).update(cost={}, endpoint=endpoint, model_id="claude-sonnet-4-5")
    page = client.get(reverse("report", args=[experiment.pk])).content.decode()
    assert "Filled in, and counted only once you use it: Claude Sonnet 4.5: 3 in and 15 out" in page
    assert current(experiment)["systems"][1]["cost"]["basis"] == "none"
    names = ("input_per_million", "output_per_million", "price_date", "price_source")
    values = ("3.0", "15.0", "2026-11-26", "genai-prices 0.2.3")
    sent = {f"{baseline.arm.code}-{name}": value for name, value in zip(names, values, strict=True)}
    assert client.post(reverse("report-assumptions", args=[experiment.pk]), sent).status_code == 302
    cost = current(experiment)["systems"][1]["cost"]
    assert (cost["basis"], cost["stated"]["price_date"]) == ("tokens", "2026-11-26")
    assert "its prices are the default of genai-prices 0.2.3; nobody here has confirmed them." in cost["notes"]
    page = client.get(reverse("report", args=[experiment.pk])).content.decode()
    assert "Filled in, and counted" not in page
    assert "nobody here has confirmed them" in page


def test_without_the_price_list_the_form_says_how_to_get_it(
    client: Client, study: Callable[..., Experiment], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(price_list, "genai_prices", None)
    experiment = study()
    System.objects.filter(pk=studies.systems(experiment)[0].pk).update(cost={})
    assert "uv sync --extra prices" in client.get(reverse("report", args=[experiment.pk])).content.decode()


def test_a_machine_of_ones_own_is_stated_on_the_page_and_is_worth_no_more_than_it_cost(
    client: Client, study: Callable[..., Experiment]
) -> None:
    experiment = study()
    _, candidate = studies.systems(experiment)
    address, arm = reverse("report-assumptions", args=[experiment.pk]), candidate.arm.code
    sent = {f"{arm}-purchase_price": "7300", f"{arm}-years": "4", "requests_per_day": "1000"}
    refused = client.post(address, sent | {f"{arm}-residual_value": "8000"})
    assert refused.status_code == 422
    assert b"worth no more than its price" in refused.content
    assert client.post(address, sent).status_code == 302
    cost = current(experiment)["systems"][0]["cost"]
    assert cost["assumptions"]["owned"] is True
    assert cost["per_1000_requests"]["value"] == pytest.approx(5.0)


def test_assumptions_are_only_ever_added(client: Client, study: Callable[..., Experiment]) -> None:
    experiment = study()
    address = reverse("report-assumptions", args=[experiment.pk])
    for volume in ("1000", "2000", ""):
        client.post(address, {"requests_per_day": volume, "p95_target_ms": "1500"})
    stated = Assumptions.objects.order_by("pk").values_list("values", flat=True)
    assert [one["requests_per_day"] for one in stated] == [1000, 2000, None]
    page = client.get(reverse("report", args=[experiment.pk])).content.decode()
    assert page.count("p95 that you would allow, ms 1500") == 3


@pytest.mark.parametrize("value", ["-1", "much", "nan", "inf", "1e400"])
def test_nonsense_in_the_form_is_explained_beside_the_field(
    client: Client, study: Callable[..., Experiment], value: str
) -> None:
    response = client.post(reverse("report-assumptions", args=[study().pk]), {"requests_per_day": value})
    assert response.status_code == 422
    assert b"Nothing was changed" in response.content
    assert not Assumptions.objects.exists()


def test_pairs_show_texts_names_verdicts_and_comments(client: Client, study: Callable[..., Experiment]) -> None:
    experiment = study(votes="W", inputs=2, raters=1)
    Judgment.objects.filter(pk=Judgment.objects.earliest("pk").pk).update(comment="Much clearer.")
    page = client.get(reverse("report-pairs", args=[experiment.pk])).content.decode()
    assert page.count("candidate better") == 2
    assert "Much clearer." in page
    only = client.get(reverse("report-pairs", args=[experiment.pk]), {"commented": "yes"}).content.decode()
    assert only.count("candidate better") == 1


@pytest.mark.parametrize("query", ["page=0", "page=99", "page=x", "input=nobody", "system=nobody", "input=%00"])
def test_any_address_of_the_pairs_is_answered(client: Client, study: Callable[..., Experiment], query: str) -> None:
    response = client.get(reverse("report-pairs", args=[study(inputs=1, raters=1).pk]) + f"?{query}")
    assert response.status_code == 200


def test_a_comment_cannot_bring_markup_into_the_page(client: Client, study: Callable[..., Experiment]) -> None:
    experiment = study(inputs=1, raters=1)
    Judgment.objects.update(comment="<img src=x onerror=alert(1)>")
    page = client.get(reverse("report-pairs", args=[experiment.pk])).content.decode()
    assert "<img" not in page
