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
    """Of one API; `cached` and `cache_write` are None where reading from and writing to a cache cost like any input."""

    input: float
    output: float
    cached: float | None = None
    cache_write: float | None = None

    @property
    def of_cached(self) -> float:
        """The price of a cached input token."""
        return self.input if self.cached is None else self.cached

    @property
    def of_cache_write(self) -> float:
        """The price of an input token that was written to a cache."""
        return self.input if self.cache_write is None else self.cache_write


@dataclass(frozen=True, slots=True, kw_only=True)
class Rented:
    """GPUs that are paid for by the hour. `overhead_per_day`: operations, storage and whatever else is fixed.

    `share` is the part of their hours that is paid for this system: two adapters on one base server split them.
    """

    hourly: float
    gpus: float = 1.0
    hours_per_day: float = float(HOURS)
    overhead_per_day: float = 0.0
    share: float = 1.0

    @property
    def fixed_per_day(self) -> float:
        """F, what a day costs whether requests come or not."""
        return self.hourly * self.gpus * self.share * self.hours_per_day + self.overhead_per_day


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Tokens:
    """One entry a request in each column; `cached` is a part of `read`, `cache_write` is not, `out` has thoughts."""

    read: Floats
    cached: Floats
    cache_write: Floats
    out: Floats

    def usd(self, prices: Prices) -> Floats:
        """What each request cost: ((read - cached) p_in + cached p_cached + written p_write + out p_out)/1e6."""
        of_input = (self.read - self.cached) * prices.input + self.cached * prices.of_cached
        each: Floats = (of_input + self.cache_write * prices.of_cache_write + self.out * prices.output) / 1e6
        return each


def per_thousand_by_tokens(
    tokens: Tokens, *, item: Ints, prices: Prices, retries: float = 0.0, level: float = LEVEL
) -> Interval:
    """The mean over inputs of what a request cost, × 1000, with a t interval.

    `retries` is what calls without a usable answer cost on top, as a share of what the answers cost.
    """
    each = tokens.usd(prices) * 1000 * (1 + retries)
    return intervals.mean(scores.by_input(each, item).mean, level=level)


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
    variable_per_thousand: float = 0.0,
) -> GpuCost:
    """Busy and fully loaded cost per 1,000 requests; `hourly` is that of all GPUs together, without overhead.

    With `requests_per_day` the day's fixed cost is shared among them; else the busy cost is divided by the share of
    time that the GPUs work (`utilisation`, 0.3 where unsaid). What each request costs besides is added to either.
    """
    share = utilisation or UTILISATION
    always = per_thousand_busy(hourly=hourly, requests_per_second=requests_per_second) if requests_per_second else None
    busy = None if always is None else always + variable_per_thousand
    if requests_per_day:
        loaded = per_thousand_loaded(
            fixed_per_day=fixed_per_day,
            requests_per_day=requests_per_day,
            variable_per_thousand=variable_per_thousand,
        )
        return GpuCost(busy=busy, loaded=loaded, basis=f"{requests_per_day:,.0f} requests a day")
    basis = f"busy {share:.0%} of the time" + ("" if utilisation else ", assumed")
    return GpuCost(busy=busy, loaded=None if always is None else always / share + variable_per_thousand, basis=basis)


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
