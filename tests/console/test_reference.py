"""docs/reference.md against the code: every key, command, address and part of the report is there, and nothing else."""

import re
from pathlib import Path
from typing import Any

import pytest
from django.core.management import get_commands, load_command_class
from django.urls import get_resolver
from django.urls.resolvers import URLPattern, URLResolver

from console.experiment_file import read_toml
from console.toml_tables import Table
from reports.report import build
from tests.reports import studies

OURS = {"accounts", "experiments", "backends", "ratings", "reports", "console"}
DJANGOS = {"migrate"}
EVERY_COMMANDS = {
    "--help", "--version", "--verbosity", "--settings", "--pythonpath", "--traceback", "--no-color", "--force-color",
    "--skip-checks", "--json",
}  # fmt: skip
NAMED = re.compile(r"<\w+:(\w+)>")


@pytest.fixture(scope="module")
def reference() -> str:
    return (Path(__file__).parents[2] / "docs" / "reference.md").read_text()


def part(reference: str, title: str) -> str:
    return reference.split(f"\n## {title}\n")[1].split("\n## ", maxsplit=1)[0]


def test_the_file_of_an_experiment_is_documented_with_every_key(
    reference: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, said = set(), set()
    take = Table.take

    def noted(table: Table, key: str, *words: Any, **more: Any) -> Any:
        kind = re.sub(r"^(endpoints|systems)\.\w+", r"\1", table.name)
        asked.add((kind, key))
        if key in table.values:
            said.add((kind, key))
        return take(table, key, *words, **more)

    monkeypatch.setattr(Table, "take", noted)
    block = re.findall(r"^```toml\n(.*?)^```$", reference, re.MULTILINE | re.DOTALL)[0]
    (tmp_path / "experiment.toml").write_text(block)
    read = read_toml(tmp_path / "experiment.toml")
    assert len(asked) > 60
    assert sorted(asked - said) == []
    assert {system.name for system in read.systems} == {"candidate", "api"}


def test_every_command_is_documented_with_its_options(reference: str) -> None:
    rows = dict(re.findall(r"^\| `(\w+)[^`]*` \| (.*) \|$", part(reference, "Commands"), re.MULTILINE))
    whole = dict(re.findall(r"^\| `(\w+)([^`]*)` \|", part(reference, "Commands"), re.MULTILINE))
    commands = {name: app for name, app in get_commands().items() if app in OURS and name not in DJANGOS}
    assert set(rows) == set(commands)
    for name, app in commands.items():
        parser = load_command_class(app, name).create_parser("blindpair", name)
        options = {long for one in parser._actions for long in one.option_strings if long.startswith("--")}
        told = set(re.findall(r"--[a-z-]+", whole[name]))
        if name != "test":
            assert told == options - EVERY_COMMANDS, name


def test_every_address_is_documented(reference: str) -> None:
    told = set(re.findall(r"`(/[^`\s]*)`", part(reference, "Addresses")))
    assert told == {NAMED.sub(r"<\1>", address) for address in addresses(get_resolver())} | {"/admin/"}


def addresses(resolver: URLResolver, before: str = "/") -> list[str]:
    found: list[str] = []
    for one in resolver.url_patterns:
        address = before + str(one.pattern)
        if isinstance(one, URLPattern):
            found += [address] if address not in {"/healthz", "/readyz", "/metrics"} else []
        elif not address.startswith("/admin"):
            found += addresses(one, address)
    return [address for address in found if not address.startswith("/static")]


@pytest.mark.once
@pytest.mark.django_db
def test_every_key_of_a_report_is_documented(reference: str) -> None:
    told = set(re.findall(r"\w+", part(reference, "report.json")))
    report = build(studies.a_study(monitored=True, ask_guess=True, ask_acceptable=True))
    # Objects whose keys are the owner's own words, or those of the file.
    for system in report["systems"]:
        system["parameters"] = system["facts"] = system["cost"]["stated"] = system["cost"]["assumptions"] = {}
    opened, found = report["experiment"]["opened_seal"], report["personal_data"]
    opened["mapping"] = report["method"]["versions"] = found["found"] = {}
    assert len(keys(report)) > 150
    assert sorted(keys(report) - told) == []


def keys(value: Any) -> set[str]:
    """Of all objects in it, at any depth."""
    if isinstance(value, dict):
        return set(value).union(*(keys(one) for one in value.values()))
    return set().union(*(keys(one) for one in value)) if isinstance(value, list) else set()
