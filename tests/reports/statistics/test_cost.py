"""Cost and break-even: what a request costs on either side, and at what volume they meet."""

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reports.statistics import break_even, cost
from reports.statistics.break_even import Situation
from reports.statistics.cost import Prices, Tokens

HAIKU = Prices(input=1, output=5)
A100 = Situation(hourly=1.64, prices=HAIKU)


def asked(
    *, read: Sequence[float], out: Sequence[float], cached: Sequence[float] = (), written: Sequence[float] = ()
) -> Tokens:
    columns = [np.asarray(column or np.zeros(len(read)), dtype=float) for column in (read, cached, written, out)]
    return Tokens(read=columns[0], cached=columns[1], cache_write=columns[2], out=columns[3])


def test_tokens_are_priced_by_request_and_averaged_over_inputs() -> None:
    tokens = asked(read=[1000, 1000, 3000], out=[100, 100, 300])
    found = cost.per_thousand_by_tokens(tokens, item=np.array([0, 0, 1]), prices=HAIKU)
    assert found.value == pytest.approx((1.5 + 4.5) / 2)
    assert found.n == 2


def test_the_mean_by_tokens_is_the_price_of_the_mean_request() -> None:
    prices = Prices(input=3, output=15, cached=0.3)
    tokens = asked(read=[800, 1200], cached=[200, 300], out=[50, 250])
    found = cost.per_thousand_by_tokens(tokens, item=np.arange(2), prices=prices, retries=0.1)
    assert found.value == pytest.approx(
        cost.per_thousand_by_api(tokens_in=1000, tokens_out=150, prices=prices, cached_share=0.25, retries=0.1)
    )


def test_cached_tokens_cost_like_any_other_where_no_price_is_named() -> None:
    assert (HAIKU.of_cached, HAIKU.of_cache_write) == (1, 1)
    free = Prices(input=1, output=5, cached=0, cache_write=0)
    assert (free.of_cached, free.of_cache_write) == (0, 0)


def test_a_request_is_billed_for_what_is_read_read_again_written_and_said() -> None:
    """As Anthropic bills: 200 tokens new, 800 read from the cache, 1,000 written to it, 100 said."""
    prices = Prices(input=3, output=15, cached=0.3, cache_write=3.75)
    [usd] = asked(read=[1000], cached=[800], written=[1000], out=[100]).usd(prices)
    assert usd == pytest.approx((200 * 3 + 800 * 0.3 + 1000 * 3.75 + 100 * 15) / 1e6)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(*[st.integers(0, 100_000)] * 4), min_size=2, max_size=20),
    st.tuples(*[st.floats(0, 100)] * 4),
    st.floats(0, 2),
)
def test_the_cost_of_requests_is_the_bill_over_their_number(
    rows: list[tuple[int, int, int, int]], usd: tuple[float, float, float, float], extra: float
) -> None:
    prices = Prices(input=usd[0], output=usd[1], cached=usd[2], cache_write=usd[3])
    bill = sum((new * usd[0] + cached * usd[2] + written * usd[3] + out * usd[1]) for new, cached, written, out in rows)
    new, cached, written, out = (np.array(column, dtype=float) for column in zip(*rows, strict=True))
    tokens = Tokens(read=new + cached, cached=cached, cache_write=written, out=out)
    found = cost.per_thousand_by_tokens(tokens, item=np.arange(len(rows)), prices=prices, retries=extra)
    assert found.value == pytest.approx(bill / 1e6 / len(rows) * 1000 * (1 + extra), rel=1e-9, abs=1e-12)


def test_requests_that_all_cost_the_same_have_no_limits() -> None:
    same = asked(read=[10] * 5, out=[10] * 5)
    found = cost.per_thousand_by_tokens(same, item=np.arange(5), prices=HAIKU)
    assert (found.low, found.why) == (None, "all inputs gave the same value")


def test_a_gpu_is_shared_among_the_requests_of_its_day() -> None:
    found = cost.by_gpu(hourly=2, fixed_per_day=60, requests_per_second=1, requests_per_day=4000)
    assert found.busy == pytest.approx(2000 / 3600)
    assert (found.loaded, found.basis) == (15, "4,000 requests a day")


def test_without_a_volume_the_busy_cost_is_divided_by_the_busy_share() -> None:
    assumed = cost.by_gpu(hourly=3.6, fixed_per_day=86.4, requests_per_second=1)
    named = cost.by_gpu(hourly=3.6, fixed_per_day=86.4, requests_per_second=1, utilisation=0.5)
    assert (assumed.loaded, assumed.basis) == (pytest.approx(1 / 0.3), "busy 30% of the time, assumed")
    assert (named.loaded, named.basis) == (pytest.approx(2), "busy 50% of the time")


def test_what_each_request_costs_besides_is_added_to_either_line() -> None:
    plain = cost.by_gpu(hourly=3.6, fixed_per_day=86.4, requests_per_second=1)
    found = cost.by_gpu(hourly=3.6, fixed_per_day=86.4, requests_per_second=1, variable_per_thousand=0.5)
    assert (plain.busy, plain.loaded) == (pytest.approx(1), pytest.approx(1 / 0.3))
    assert (found.busy, found.loaded) == (pytest.approx(1.5), pytest.approx(1 / 0.3 + 0.5))


def test_two_adapters_on_one_server_split_its_hours_and_do_not_count_them_twice() -> None:
    alone = cost.Rented(hourly=2.0, gpus=2, overhead_per_day=10)
    halves = [cost.Rented(hourly=2.0, gpus=2, share=0.5) for _ in range(2)]
    assert alone.fixed_per_day == 2 * 2 * 24 + 10
    assert sum(half.fixed_per_day for half in halves) == 2 * 2 * 24


def test_without_a_throughput_there_is_no_busy_cost() -> None:
    nothing = cost.by_gpu(hourly=2, fixed_per_day=48, requests_per_second=None)
    volume = cost.by_gpu(hourly=2, fixed_per_day=48, requests_per_second=0, requests_per_day=1000)
    assert (nothing.busy, nothing.loaded) == (None, None)
    assert (volume.busy, volume.loaded) == (None, 48)


def test_a_volume_above_capacity_needs_more_gpus() -> None:
    assert cost.capacity_per_day(requests_per_second=2, hours_per_day=10) == 72_000
    assert cost.gpus_needed(requests_per_day=72_001, requests_per_second=2, hours_per_day=10) == 2
    assert cost.gpus_needed(requests_per_day=1, requests_per_second=2) == 1


CARDS = {
    "A6000": Situation(hourly=0.80, prices=HAIKU),
    "A100": A100,
    "A100, 176 hours a month": replace(A100, hours_per_day=176 * 12 / 365),
    "A100 and a tenth of a person": replace(A100, overhead_per_day=15_000 / 365),
}
# Break-even in millions of tokens a day at 3:1 input to output, and USD a year that avoided risk would have to be
# worth for one million: by price in and out, for each of CARDS.
TABLE = {
    (0.15, 0.60): ((73, 150, 36, 307), 29_300),
    (0.20, 1.20): ((43, 88, 21, 179), 29_200),
    (1, 5): ((9.6, 20, 4.7, 40), 28_600),
    (2.5, 10): ((4.4, 9.0, 2.2, 18), 27_800),
    (3, 15): ((3.2, 6.6, 1.6, 13), 27_200),
    (5, 25): ((1.9, 3.9, 0.9, 8.0), 25_700),
    (10, 50): ((1.0, 2.0, 0.5, 4.0), 22_100),
}


@pytest.mark.parametrize("usd", TABLE, ids=str)
def test_the_table_of_break_even_points_is_reproduced(usd: tuple[float, float]) -> None:
    wanted, risk = TABLE[usd]
    prices = Prices(input=usd[0], output=usd[1])
    for millions, (name, card) in zip(wanted, CARDS.items(), strict=True):
        now = replace(card, prices=prices)
        assert now.tokens_per_day / 1e6 == pytest.approx(millions, rel=0.06), name
    needed = break_even.governance_needed_per_day(
        fixed_per_day=now.fixed_per_day, price_per_million=now.price_per_million, tokens_per_day=1e6
    )
    assert needed * 365 == pytest.approx(risk, rel=0.01)


def test_a_million_tokens_a_day_cost_one_to_two_orders_of_magnitude_more_on_a_gpu_than_by_api() -> None:
    requests = 1e6 / 1800
    own = [cost.per_thousand_loaded(fixed_per_day=card.fixed_per_day, requests_per_day=requests) for card in (
        CARDS["A6000"], CARDS["A100 and a tenth of a person"],
    )]  # fmt: skip
    api = [
        cost.per_thousand_by_api(tokens_in=1500, tokens_out=300, prices=Prices(input=usd[0], output=usd[1]))
        for usd in ((0.15, 0.6), (10, 50))
    ]
    assert own == [pytest.approx(34.5, rel=0.01), pytest.approx(145, rel=0.01)]
    assert api == [pytest.approx(0.41, rel=0.02), pytest.approx(30)]


@settings(max_examples=60, deadline=None)
@given(st.floats(1_000, 200_000), st.floats(0, 1), st.floats(1, 8), st.floats(0, 0.2), st.floats(0, 10))
def test_over_its_life_an_owned_machine_costs_its_loss_of_value_its_interest_and_its_power(
    price: float, kept: float, years: float, rate: float, kilowatts: float
) -> None:
    machine = cost.Owned(
        price=price, residue=kept * price, years=years, rate=rate, kilowatts=kilowatts, pue=1.4, kwh_price=0.3
    )
    over_its_life = machine.fixed_per_day * 365 * years
    loss, interest = price - kept * price, (price + kept * price) / 2 * rate * years
    assert over_its_life == pytest.approx(loss + interest + kilowatts * 1.4 * 0.3 * 24 * 365 * years, rel=1e-9)


def test_switching_off_a_machine_that_was_bought_saves_nothing() -> None:
    assert "hours switched on" in {bar.name for bar in break_even.tornado(A100)}
    assert "hours switched on" not in {bar.name for bar in break_even.tornado(replace(A100, owned=True))}


@settings(max_examples=60, deadline=None)
@given(st.floats(1e5, 1e8), st.floats(1, 500), st.floats(0.1, 50), st.floats(0, 0.05))
def test_the_governance_needed_makes_that_volume_the_break_even_point(
    tokens: float, fixed: float, price: float, variable: float
) -> None:
    needed = break_even.governance_needed_per_day(
        fixed_per_day=fixed, price_per_million=price, tokens_per_day=tokens, variable_per_million=variable
    )
    point = break_even.tokens_per_day(
        fixed_per_day=fixed, price_per_million=price, variable_per_million=variable, governance_per_day=needed
    )
    assert point <= tokens * (1 + 1e-9)
    if needed > 0:
        assert point == pytest.approx(tokens, rel=1e-6)


def test_governance_lowers_the_point_and_stands_beside_the_one_without() -> None:
    valued = replace(A100, governance_per_year=7300)
    assert valued.tokens_per_day == pytest.approx((39.36 - 20) / 2 * 1e6)
    assert valued.tokens_per_day_without_governance == A100.tokens_per_day
    assert replace(A100, governance_per_year=1e6).tokens_per_day == 0


def test_an_api_that_costs_less_than_the_power_is_never_beaten() -> None:
    assert math.isinf(replace(A100, variable_per_million=3).tokens_per_day)


def test_the_tornado_shows_the_widest_bar_first_and_where_each_end_is() -> None:
    bars = break_even.tornado(
        replace(A100, overhead_per_day=41, governance_per_year=3650, prices=Prices(input=1, output=5, cached=0.1))
    )
    reach = [abs(bar.high - bar.low) for bar in bars]
    assert reach == sorted(reach, reverse=True)
    by_name = {bar.name: bar for bar in bars}
    assert set(by_name) == {
        "GPU price",
        "hours switched on",
        "high availability",
        "operations",
        "API price",
        "share of input tokens",
        "cached share of input",
        "value of governance",
    }
    assert by_name["API price"].low == pytest.approx(4 * by_name["API price"].high)
    assert by_name["value of governance"].low > by_name["value of governance"].high


def test_assumptions_nobody_made_are_left_out_of_the_tornado() -> None:
    names = {bar.name for bar in break_even.tornado(A100)}
    assert "cached share of input" not in names
    assert "value of governance" not in names


def test_tokens_become_requests() -> None:
    assert break_even.requests_per_day(1e6, tokens_per_request=1800) == pytest.approx(555.6, abs=0.1)
    assert break_even.requests_per_day(1e6, tokens_per_request=0) is None
