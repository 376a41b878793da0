"""The price list: known models at their makers, dated and named; nothing for a server of one's own, and no network."""

from datetime import date
from typing import Any

import pytest

from backends import price_list
from tests.factories import a_system, an_endpoint, an_experiment

pytestmark = [pytest.mark.django_db, pytest.mark.once]
TODAY = date(2026, 11, 26)
API = {"dialect": "openai", "preset": "openai", "base_url": ""}
ANTHROPIC = {"dialect": "anthropic", "preset": "anthropic", "base_url": ""}


def test_a_known_model_has_its_prices_their_date_and_their_source() -> None:
    found = price_list.offer(an_endpoint(**ANTHROPIC), "claude-sonnet-4-5", today=TODAY)
    assert found
    amounts = [found.cost[name] for name in price_list.COLUMNS]
    assert amounts[:2] == [3.0, 15.0]
    assert amounts[2] < amounts[0] < amounts[3], "reading from a cache is cheap, writing to it is dear"
    assert found.cost["price_date"] == "2026-11-26"
    assert found.cost["price_source"].startswith("genai-prices ")
    assert "3 in and 15 out" in found.words
    assert "Long requests cost more" in found.words


@pytest.mark.parametrize(
    ("where", "model"),
    [
        (API, "a-model-that-nobody-made"),
        (API, ""),
        ({"dialect": "openai", "preset": "vllm", "base_url": "http://127.0.0.1:8000/v1"}, "gpt-4o"),
        ({"dialect": "recorded", "base_url": ""}, "gpt-4o"),
    ],
)
def test_nothing_is_invented(where: dict[str, Any], model: str) -> None:
    """A server of one's own may call its model as it likes."""
    assert price_list.offer(an_endpoint(**where), model, today=TODAY) is None


def test_without_the_extra_nothing_is_offered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(price_list, "genai_prices", None)
    assert price_list.offer(an_endpoint(**API), "gpt-4o", today=TODAY) is None
    assert not price_list.is_installed()
    assert "uv sync --extra prices" in price_list.INSTALL


def test_only_systems_without_a_price_are_offered_one() -> None:
    experiment, endpoint = an_experiment(), an_endpoint(**API)
    bare = a_system(experiment, "bare", endpoint=endpoint, model_id="gpt-4o")
    a_system(experiment, "priced", endpoint=endpoint, model_id="gpt-4o", cost={"input_per_million": 1})
    a_system(experiment, "unknown", endpoint=endpoint, model_id="nobody-made-it")
    a_system(experiment, "recorded")
    assert list(price_list.offers(experiment, today=TODAY)) == [bare.arm.code]
