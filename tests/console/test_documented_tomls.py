"""What the pages on model servers tell people to write works as it stands: it is read, and it can be sent."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from backends.adapters import adapter_for
from backends.adapters.contract import ChatRequest, Target
from backends.hosts import AddressPolicy
from backends.parameters import problems
from backends.presets import PRESETS
from console.experiment_file import EndpointSpec, ExperimentSpec, SystemSpec, read_toml

DOCS = Path(__file__).resolve().parents[2] / "docs"
PAGES = sorted((DOCS / "servers").glob("*.md"))
BLOCK = re.compile(r"^```toml\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")
LIMITS = ("max_tokens", "max_completion_tokens")
BEFORE = 'title = "As documented"\ninputs = "inputs.jsonl"\nbaseline = "baseline"\n'
AFTER = '\n[systems.baseline]\noutputs = "baseline.jsonl"\n'


def blocks() -> Iterator[tuple[Path, str]]:
    return ((page, block) for page in PAGES for block in BLOCK.findall(page.read_text()))


DOCUMENTED = [pytest.param(block, id=f"{page.stem}-{number}") for number, (page, block) in enumerate(blocks(), start=1)]


def experiment(folder: Path, block: str) -> ExperimentSpec:
    path = folder / "experiment.toml"
    path.write_text(f"{BEFORE}{block}{AFTER}")
    return read_toml(path)


def asked(spec: ExperimentSpec) -> Iterator[tuple[EndpointSpec, SystemSpec]]:
    """The systems that are called, each with its endpoint; a KeyError where a block forgets it."""
    endpoints = {endpoint.name: endpoint for endpoint in spec.endpoints}
    return ((endpoints[system.endpoint], system) for system in spec.systems if system.outputs is None)


def test_there_are_tables_on_every_page() -> None:
    assert PAGES
    assert {page for page, _ in blocks()} == set(PAGES)


@pytest.mark.parametrize("block", DOCUMENTED)
def test_a_documented_table_is_read_without_complaint(tmp_path: Path, block: str) -> None:
    spec = experiment(tmp_path, block)
    assert len(spec.systems) >= 2
    assert {endpoint.preset for endpoint in spec.endpoints} <= PRESETS.keys() | {""}


@pytest.mark.parametrize("block", DOCUMENTED)
def test_a_documented_system_can_be_asked_as_it_stands(tmp_path: Path, block: str) -> None:
    for endpoint, system in asked(experiment(tmp_path, block)):
        target = Target.of(dialect=endpoint.dialect, preset=endpoint.preset, base_url=endpoint.base_url)
        assert AddressPolicy.embedded().check_base_url(target.base_url)
        assert system.model
        assert problems(target.profile, system.parameters) == []
        chat = ChatRequest(
            model=system.model, messages=({"role": "user", "content": "Hello"},), parameters=system.parameters
        )
        request = adapter_for(target, chat).request(target, chat)
        assert request.url.startswith(target.base_url.removesuffix("/v1"))
        body = json.loads(json.dumps(request.body))
        assert len([name for name in LIMITS if name in body]) <= 1


@pytest.mark.parametrize("preset", sorted(PRESETS))
def test_each_preset_has_a_page_that_uses_it(tmp_path: Path, preset: str) -> None:
    page = DOCS / "servers" / f"{preset}.md"
    used = {
        endpoint.preset or endpoint.dialect
        for block in BLOCK.findall(page.read_text())
        for endpoint in experiment(tmp_path, block).endpoints
    }
    assert preset in used


def test_the_index_leads_to_every_page() -> None:
    index = (DOCS / "servers.md").read_text()
    assert {f"servers/{page.name}" for page in PAGES} <= set(LINK.findall(index))


@pytest.mark.parametrize("page", [DOCS / "servers.md", DOCS / "figures.md", *PAGES], ids=lambda page: page.stem)
def test_no_link_of_a_page_leads_nowhere(page: Path) -> None:
    links = [link for link in LINK.findall(page.read_text()) if "://" not in link]
    assert [link for link in links if not (page.parent / link).exists()] == []
