"""At what volume a model of one's own costs as much as the API, and what that answer hangs on."""

import math
from dataclasses import dataclass, replace

from reports.statistics.cost import DAYS, HOURS, Prices


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """Everything the break-even point depends on. Money in USD, prices per million tokens.

    `hours_per_day` are those that are paid for; `share` is the part of them that is this system's; `owned` says that
    the machine was bought, so that switching it off saves nothing; `overhead_per_day` is operations and storage;
    `input_share` is the share of tokens that are input; `variable_per_million` is what a million tokens cost oneself
    beyond the fixed part; `governance_per_year` is what avoiding vendor and data-governance risk is worth.
    """

    hourly: float
    gpus: float = 1.0
    hours_per_day: float = float(HOURS)
    share: float = 1.0
    owned: bool = False
    overhead_per_day: float = 0.0
    prices: Prices
    cached_share: float = 0.0
    input_share: float = 0.75
    variable_per_million: float = 0.0
    governance_per_year: float = 0.0

    @property
    def fixed_per_day(self) -> float:
        """F."""
        return self.hourly * self.gpus * self.share * self.hours_per_day + self.overhead_per_day

    @property
    def price_per_million(self) -> float:
        """p, the API's price of a million tokens in this mix."""
        of_input = (1 - self.cached_share) * self.prices.input + self.cached_share * self.prices.of_cached
        return self.input_share * of_input + (1 - self.input_share) * self.prices.output

    @property
    def governance_per_day(self) -> float:
        """G."""
        return self.governance_per_year / DAYS

    @property
    def tokens_per_day(self) -> float:
        """T*, infinite where the API costs no more than one's own variable part."""
        return tokens_per_day(
            fixed_per_day=self.fixed_per_day,
            price_per_million=self.price_per_million,
            variable_per_million=self.variable_per_million,
            governance_per_day=self.governance_per_day,
        )

    @property
    def tokens_per_day_without_governance(self) -> float:
        """T* with G = 0, to stand beside it."""
        return replace(self, governance_per_year=0.0).tokens_per_day


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """One bar of the tornado: T* with one assumption at its lower and its upper setting, all else as it is."""

    name: str
    low: float
    high: float
    low_setting: str
    high_setting: str


def tokens_per_day(
    *,
    fixed_per_day: float,
    price_per_million: float,
    variable_per_million: float = 0.0,
    governance_per_day: float = 0.0,
) -> float:
    """T* = max(0, F - G)/(p - v) × 1e6; infinite where p <= v."""
    if price_per_million <= variable_per_million:
        return math.inf
    return max(0.0, fixed_per_day - governance_per_day) / (price_per_million - variable_per_million) * 1e6


def governance_needed_per_day(
    *, fixed_per_day: float, price_per_million: float, tokens_per_day: float, variable_per_million: float = 0.0
) -> float:
    """G at which a volume breaks even: max(0, F - (p - v) T/1e6), in USD a day."""
    return max(0.0, fixed_per_day - (price_per_million - variable_per_million) * tokens_per_day / 1e6)


def requests_per_day(tokens: float, *, tokens_per_request: float) -> float | None:
    """A volume of tokens as requests; None where a request has no tokens."""
    return tokens / tokens_per_request if tokens_per_request > 0 else None


def tornado(now: Situation) -> tuple[Bar, ...]:
    """What moves T*, widest bar first; each assumption halved and doubled, or taken to the ends of its range."""
    bars = [
        Bar(
            name=name,
            low=low.tokens_per_day,
            high=high.tokens_per_day,
            low_setting=low_setting,
            high_setting=high_setting,
        )
        for name, (low_setting, low), (high_setting, high) in _spreads(now)
    ]
    return tuple(sorted(bars, key=_reach, reverse=True))


_Setting = tuple[str, Situation]


def _spreads(now: Situation) -> list[tuple[str, _Setting, _Setting]]:
    half, double = replace(now, hourly=now.hourly / 2), replace(now, hourly=now.hourly * 2)
    some, all_day = replace(now, hours_per_day=8.0), replace(now, hours_per_day=float(HOURS))
    even, ten_to_one = replace(now, input_share=0.5), replace(now, input_share=10 / 11)
    spreads = [
        ("GPU price", ("half", half), ("double", double)),
        *([] if now.owned else [("hours switched on", ("8 a day", some), ("24 a day", all_day))]),
        ("high availability", ("as it is", now), ("twice the GPUs", replace(now, gpus=now.gpus * 2))),
        ("operations", ("none", replace(now, overhead_per_day=0.0)), _more_operations(now)),
        ("API price", ("half", _priced(now, 0.5)), ("double", _priced(now, 2.0))),
        ("share of input tokens", ("50 %", even), ("91 %", ten_to_one)),
    ]
    if now.prices.cached is not None:
        uncached, mostly = replace(now, cached_share=0.0), replace(now, cached_share=0.8)
        spreads.append(("cached share of input", ("0 %", uncached), ("80 %", mostly)))
    if now.governance_per_year > 0:
        none = replace(now, governance_per_year=0.0)
        twice = replace(now, governance_per_year=now.governance_per_year * 2)
        spreads.append(("value of governance", ("none", none), ("double", twice)))
    return spreads


def _more_operations(now: Situation) -> _Setting:
    if now.overhead_per_day > 0:
        return "double", replace(now, overhead_per_day=now.overhead_per_day * 2)
    tenth = 15_000 / DAYS  # where none are named: a tenth of one person's time
    return f"{tenth:.0f} USD a day", replace(now, overhead_per_day=tenth)


def _priced(now: Situation, factor: float) -> Situation:
    prices = now.prices
    cached = None if prices.cached is None else prices.cached * factor
    return replace(now, prices=Prices(input=prices.input * factor, output=prices.output * factor, cached=cached))


def _reach(bar: Bar) -> float:
    if math.isinf(bar.low) and math.isinf(bar.high):
        return 0.0
    return abs(bar.high - bar.low)
