"""What 1,000 requests cost, by tokens or by hours of a GPU; money in USD, prices by tokens in USD per million."""

import math
from dataclasses import dataclass

from reports.statistics import intervals, scores
from reports.statistics.interval import LEVEL, Floats, Interval, Ints

DAYS = 365
UTILISATION = 0.3  # assumed where the owner names neither a volume nor a share of busy time
HOURS = 24


@dataclass(frozen=True, slots=True, kw_only=True)
class Prices:
    """Of one API; `cached` is None where cached input costs like any other."""

    input: float
    output: float
    cached: float | None = None

    @property
    def of_cached(self) -> float:
        """The price of a cached input token."""
        return self.input if self.cached is None else self.cached


@dataclass(frozen=True, slots=True, kw_only=True)
class Rented:
    """GPUs that are paid for by the hour. `overhead_per_day`: operations, storage and whatever else is fixed."""

    hourly: float
    gpus: float = 1.0
    hours_per_day: float = float(HOURS)
    overhead_per_day: float = 0.0

    @property
    def fixed_per_day(self) -> float:
        """F, what a day costs whether requests come or not."""
        return self.hourly * self.gpus * self.hours_per_day + self.overhead_per_day


@dataclass(frozen=True, slots=True, kw_only=True)
class Owned:
    """A machine that was bought: straight-line loss of value, interest on its mean book value, power, hosting."""

    price: float
    residue: float = 0.0
    years: float = 3.0
    rate: float = 0.0
    kilowatts: float = 0.0
    pue: float = 1.0
    kwh_price: float = 0.0
    hosting_per_day: float = 0.0

    @property
    def fixed_per_day(self) -> float:
        """F of an owned machine."""
        loss = (self.price - self.residue) / (DAYS * self.years)
        interest = (self.price + self.residue) / 2 * self.rate / DAYS
        power = self.kilowatts * self.pue * HOURS * self.kwh_price
        return loss + interest + power + self.hosting_per_day


@dataclass(frozen=True, slots=True, kw_only=True)
class GpuCost:
    """Per 1,000 requests: `busy` at full throughput, `loaded` with idle time; `basis` says how idle time came in.

    A figure is None where its ground is missing (no throughput was measured, nobody asks anything).
    """

    busy: float | None
    loaded: float | None
    basis: str


def per_thousand_by_api(
    *, tokens_in: float, tokens_out: float, prices: Prices, cached_share: float = 0.0, retries: float = 0.0
) -> float:
    """1000 [T_in ((1-h) p_in + h p_cached) + T_out p_out]/1e6 × (1 + retries).

    Tokens are means a request; `cached_share` h and `retries` are shares, 0 to 1.
    """
    blended = (1 - cached_share) * prices.input + cached_share * prices.of_cached
    return 1000 * (tokens_in * blended + tokens_out * prices.output) / 1e6 * (1 + retries)


def per_thousand_by_tokens(
    *,
    tokens_in: Floats,
    tokens_out: Floats,
    cached: Floats,
    item: Ints,
    prices: Prices,
    retries: float = 0.0,
    level: float = LEVEL,
) -> Interval:
    """The mean over inputs of what a request cost, × 1000, with a t interval; one entry a request in each column.

    `cached` counts those of `tokens_in` that were read from a cache.
    """
    each = (tokens_in - cached) * prices.input + cached * prices.of_cached + tokens_out * prices.output
    return intervals.mean(scores.by_input(each * (1 + retries) / 1000, item).mean, level=level)


def per_thousand_busy(*, hourly: float, gpus: float = 1.0, requests_per_second: float) -> float:
    """1000 H N / (3600 q): GPUs that never wait; q is the sustained throughput at the latency that is wanted."""
    return 1000 * hourly * gpus / (3600 * requests_per_second)


def per_thousand_loaded(*, fixed_per_day: float, requests_per_day: float, variable_per_thousand: float = 0.0) -> float:
    """1000 F / requests a day, and what each request costs besides."""
    return 1000 * fixed_per_day / requests_per_day + variable_per_thousand


def by_gpu(
    *,
    hourly: float,
    fixed_per_day: float,
    requests_per_second: float | None,
    requests_per_day: float | None = None,
    utilisation: float | None = None,
) -> GpuCost:
    """Busy and fully loaded cost per 1,000 requests; `hourly` is that of all GPUs together, without overhead.

    With `requests_per_day` the day's fixed cost is shared among them; else the busy cost is divided by the share of
    time that the GPUs work (`utilisation`, 0.3 where unsaid).
    """
    busy = per_thousand_busy(hourly=hourly, requests_per_second=requests_per_second) if requests_per_second else None
    if requests_per_day:
        loaded = per_thousand_loaded(fixed_per_day=fixed_per_day, requests_per_day=requests_per_day)
        return GpuCost(busy=busy, loaded=loaded, basis=f"{requests_per_day:,.0f} requests a day")
    share = utilisation or UTILISATION
    basis = f"busy {share:.0%} of the time" + ("" if utilisation else ", assumed")
    return GpuCost(busy=busy, loaded=None if busy is None else busy / share, basis=basis)


def capacity_per_day(*, requests_per_second: float, hours_per_day: float = float(HOURS)) -> float:
    """Requests that can be served in a day at full throughput: a volume above it needs more GPUs."""
    return requests_per_second * 3600 * hours_per_day


def gpus_needed(*, requests_per_day: float, requests_per_second: float, hours_per_day: float = float(HOURS)) -> int:
    """How many times the measured set of GPUs serves that volume, at least 1."""
    return max(
        1,
        math.ceil(
            requests_per_day / capacity_per_day(requests_per_second=requests_per_second, hours_per_day=hours_per_day)
        ),
    )
