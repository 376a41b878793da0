"""Exact tests: against counting by hand, against their own random version, and where they have nothing to say."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import binom_test

from reports.statistics import distributions, multiplicity, significance

SCORES = st.sampled_from([0.0, 1 / 6, 0.25, 1 / 3, 0.5, 0.6, 2 / 3, 0.9, 1.0])


def chance() -> np.random.Generator:
    return np.random.default_rng(4)


@settings(max_examples=80, deadline=None)
@given(st.lists(SCORES, min_size=1, max_size=9))
def test_the_count_of_sign_flips_is_what_trying_them_all_gives(d: list[float]) -> None:
    off = np.array(d) - 0.5
    sums = np.array([np.dot(signs, off) for signs in itertools.product([1, -1], repeat=off.size)])
    found = significance.sign_flip_test(np.array(d), chance=chance())
    assert found is not None
    assert found.exact
    assert found.total == 2**off.size
    assert found.p_greater == pytest.approx(np.mean(sums >= off.sum() - 1e-9))
    assert found.p == pytest.approx(np.mean(np.abs(sums) >= abs(off.sum()) - 1e-9))


@settings(max_examples=60, deadline=None)
@given(st.lists(SCORES, min_size=1, max_size=30))
def test_seen_from_the_other_side_the_tests_say_the_same(d: list[float]) -> None:
    there, back = np.array(d), 1 - np.array(d)
    one, other = (significance.sign_flip_test(values, chance=chance()) for values in (there, back))
    assert one is not None
    assert other is not None
    assert one.p == pytest.approx(other.p)
    forward, backward = significance.sign_test(there), significance.sign_test(back)
    assert (forward.above, forward.below, forward.p) == (backward.below, backward.above, pytest.approx(backward.p))


def test_many_inputs_are_sampled_and_agree_with_the_exact_count(monkeypatch: pytest.MonkeyPatch) -> None:
    d = np.random.default_rng(1).choice([0, 0.25, 0.5, 0.75, 1], 120, p=[0.15, 0.2, 0.25, 0.2, 0.2])
    exact = significance.sign_flip_test(d, chance=chance())
    monkeypatch.setattr(significance, "_LABOUR", 0)
    sampled = significance.sign_flip_test(d, chance=chance())
    assert exact is not None
    assert sampled is not None
    assert (exact.exact, sampled.exact, sampled.total) == (True, False, 10_001)
    assert sampled.p == pytest.approx(exact.p, abs=0.015)
    assert sampled.p_greater == pytest.approx(exact.p_greater, abs=0.015)


def test_a_sampled_p_is_never_nought(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(significance, "_LABOUR", 0)
    found = significance.sign_flip_test(np.ones(300), chance=chance())
    assert found is not None
    assert found.p == pytest.approx(1 / 10_001)
    assert found.p_greater == pytest.approx(1 / 10_001)


def test_values_on_no_lattice_are_sampled() -> None:
    found = significance.sign_flip_test(np.random.default_rng(0).random(12), chance=chance())
    assert found is not None
    assert not found.exact


def test_no_inputs_and_all_ties_prove_nothing() -> None:
    assert significance.sign_flip_test(np.zeros(0), chance=chance()) is None
    empty, tied = significance.sign_test(np.zeros(0)), significance.sign_test(np.full(7, 0.5))
    assert (empty.p, empty.p_greater, tied.p, tied.tied) == (1, 1, 1, 7)
    flipped = significance.sign_flip_test(np.full(7, 0.5), chance=chance())
    assert flipped is not None
    assert (flipped.p, flipped.p_greater) == (1, 1)
    assert significance.mcnemar(0, 0) == 1


@pytest.mark.parametrize(("k", "n", "p"), [(0, 1, 0.5), (3, 20, 0.25), (2911, 5460, 0.5), (17, 40, 0.3), (40, 40, 0.9)])
def test_binomial_p_values_are_those_of_statsmodels(k: int, n: int, p: float) -> None:
    assert distributions.binomial_two_sided(k, n, p) == pytest.approx(binom_test(k, n, p), rel=1e-8)


@settings(max_examples=12, deadline=None)  # the oracle is slow
@given(st.lists(st.integers(0, 1000).map(lambda k: k / 1000), min_size=1, max_size=12))
def test_adjusted_p_values_are_those_of_statsmodels(p: list[float]) -> None:
    assert multiplicity.holm(p) == pytest.approx(multipletests(p, method="holm")[1])
    assert multiplicity.benjamini_hochberg(p) == pytest.approx(multipletests(p, method="fdr_bh")[1])


def test_what_has_no_p_value_is_not_counted() -> None:
    assert multiplicity.holm([None, 0.01, None, 0.04]) == (None, 0.02, None, 0.04)
    assert multiplicity.holm([]) == ()
    assert multiplicity.benjamini_hochberg([None]) == (None,)
