"""Prices of well-known API models, offered as a default from an open price list that is an optional extra.

The list is the one that was installed: nothing is fetched. An offer counts only once it is stored with its source.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any

from backends.models import Endpoint, System
from backends.presets import base_url_for, profile_for
from experiments.models import Experiment

try:
    import genai_prices
    from genai_prices.data_snapshot import get_snapshot
except ImportError:
    genai_prices = None  # type: ignore[assignment]

INSTALL = "Prices of well-known models can be filled in from an open price list: uv sync --extra prices."
COLUMNS = {
    "input_per_million": "input_mtok",
    "output_per_million": "output_mtok",
    "cached_input_per_million": "cache_read_mtok",
    "cache_write_per_million": "cache_write_mtok",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """What a model costs as a system's `cost` has it, with date and source; `tiered`: long requests cost more."""

    model: str
    cost: dict[str, Any]
    tiered: bool

    @property
    def words(self) -> str:
        """The prices in a sentence."""
        cost = self.cost
        said = (
            f"{self.model}: {cost['input_per_million']:g} in and {cost['output_per_million']:g} out, USD per million "
            f"tokens, by {cost['price_source']} as of {cost['price_date']}. Check them: a list may be late."
        )
        return f"{said} Long requests cost more, which is not counted." if self.tiered else said


def is_installed() -> bool:
    """Whether there is a list."""
    return genai_prices is not None


def offer(endpoint: Endpoint, model: str, *, today: date) -> Offer | None:
    """The price of a model at its maker or host; None where the list is missing or does not know it.

    Servers of one's own are known by no list, whatever their models are called.
    """
    profile = profile_for(dialect=endpoint.dialect, preset=endpoint.preset, base_url=endpoint.base_url)
    address = base_url_for(profile, endpoint.base_url)
    if genai_prices is None or not address or not model:
        return None
    try:
        _, found = get_snapshot().find_provider_model(model, None, None, address)
    except LookupError:
        return None
    listed = found.get_prices(datetime.combine(today, time(), tzinfo=UTC))
    prices = {name: getattr(listed, column, None) for name, column in COLUMNS.items()}
    if prices["input_per_million"] is None or prices["output_per_million"] is None:
        return None
    amounts = {name: float(getattr(price, "base", price)) for name, price in prices.items() if price is not None}
    source = {"price_date": today.isoformat(), "price_source": f"genai-prices {genai_prices.__version__}"}
    tiered = any(hasattr(price, "base") for price in prices.values())
    return Offer(model=found.name or found.id, cost={**amounts, **source}, tiered=tiered)


def sells(endpoint: Endpoint) -> bool:
    """Whether the endpoint is an API that is paid by tokens."""
    return profile_for(dialect=endpoint.dialect, preset=endpoint.preset, base_url=endpoint.base_url).needs_key


def offers(experiment: Experiment, *, today: date) -> dict[str, Offer]:
    """By the code of the arm: what the list offers for systems without any price."""
    systems = System.objects.filter(arm__experiment=experiment, endpoint__isnull=False).order_by("arm__code")
    found = {
        system.arm.code: offer(system.endpoint, system.model_id, today=today)
        for system in systems.select_related("arm", "endpoint")
        if system.endpoint is not None and not priced(system.cost)
    }
    return {code: one for code, one in found.items() if one}


def priced(cost: Any) -> bool:
    """Whether a system's cost says how it is paid for."""
    return any(cost.get(name) is not None for name in ("input_per_million", "gpu_hourly", "purchase_price"))
