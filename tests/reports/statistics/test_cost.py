"""Cost and break-even: what a request costs on either side, and at what volume they meet."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reports.statistics import break_even, cost
from reports.statistics.break_even import Situation
from reports.statistics.cost import Prices

HAIKU = Prices(input=1, output=5)
A100 = Situation(hourly=1.64, prices=HAIKU)


def test_tokens_are_priced_by_request_and_averaged_over_inputs() -> None:
    found = cost.per_thousand_by_tokens(
        tokens_in=np.array([1000.0, 1000, 3000]),
        tokens_out=np.array([100.0, 100, 300]),
        cached=np.zeros(3),
        item=np.array([0, 0, 1]),
        prices=HAIKU,
    )
    assert found.value == pytest.approx((1.5 + 4.5) / 2)
    assert found.n == 2


def test_the_mean_by_tokens_is_the_price_of_the_mean_request() -> None:
    tokens_in, tokens_out = np.array([800.0, 1200]), np.array([50.0, 250])
    prices = Prices(input=3, output=15, cached=0.3)
    found = cost.per_thousand_by_tokens(
        tokens_in=tokens_in, tokens_out=tokens_out, cached=tokens_in / 4, item=np.arange(2), prices=prices, retries=0.1
    )
    assert found.value == pytest.approx(
        cost.per_thousand_by_api(tokens_in=1000, tokens_out=150, prices=prices, cached_share=0.25, retries=0.1)
    )


def test_cached_tokens_cost_like_any_other_where_no_price_is_named() -> None:
    assert HAIKU.of_cached == 1
    assert Prices(input=1, output=5, cached=0).of_cached == 0


def test_requests_that_all_cost_the_same_have_no_limits() -> None:
    same = np.full(5, 10.0)
    found = cost.per_thousand_by_tokens(
        tokens_in=same, tokens_out=same, cached=np.zeros(5), item=np.arange(5), prices=HAIKU
    )
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


def test_without_a_throughput_there_is_no_busy_cost() -> None:
    nothing = cost.by_gpu(hourly=2, fixed_per_day=48, requests_per_second=None)
    volume = cost.by_gpu(hourly=2, fixed_per_day=48, requests_per_second=0, requests_per_day=1000)
    assert (nothing.busy, nothing.loaded) == (None, None)
    assert (volume.busy, volume.loaded) == (None, 48)


def test_a_volume_above_capacity_needs_more_gpus() -> None:
    assert cost.capacity_per_day(requests_per_second=2, hours_per_day=10) == 72_000
    assert cost.gpus_needed(requests_per_day=72_001, requests_per_second=2, hours_per_day=10) == 2
    assert cost.gpus_needed(requests_per_day=1, requests_per_second=2) == 1


def test_the_table_of_break_even_points_is_reproduced() -> None:
    assert A100.tokens_per_day == pytest.approx(19.68e6)
    assert replace(A100, overhead_per_day=15_000 / 365).tokens_per_day == pytest.approx(40.2e6, rel=0.01)
    assert replace(A100, prices=Prices(input=0.15, output=0.6)).tokens_per_day == pytest.approx(150e6, rel=0.01)


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
