"""Calls that take turns."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from config.turns import Turns
from tests.faults.killable import until

LONG = 60.0  # nobody waits so long where the code is right


def test_no_more_than_so_many_run_at_a_time_and_all_of_them_run() -> None:
    both_in, go_on, lock = threading.Barrier(3), threading.Event(), threading.Lock()
    running, most = 0, 0

    @Turns(2, LONG)
    def work(number: int) -> int:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        if number < 2:
            both_in.wait(LONG)
        go_on.wait(LONG)
        with lock:
            running -= 1
        return number

    with ThreadPoolExecutor(8) as pool:
        first = [pool.submit(work, number) for number in range(2)]
        both_in.wait(LONG)  # two are in: at least so many
        others = [pool.submit(work, number) for number in range(2, 8)]
        assert running == 2
        go_on.set()
        assert sorted(one.result(LONG) for one in (*first, *others)) == list(range(8))
    assert most == 2


def test_who_came_first_goes_first_and_nobody_slips_in_between() -> None:
    in_turn, order, go_on = Turns(1, LONG), list[str](), threading.Event()

    @in_turn
    def work(name: str) -> None:
        order.append(name)
        go_on.wait(LONG)

    def twice() -> None:
        work("first")
        work("first once more")

    with ThreadPoolExecutor(3) as pool:
        calls = []
        for number, call in enumerate((twice, lambda: work("second"), lambda: work("third"))):
            calls.append(pool.submit(call))
            until(lambda: order == ["first"] and in_turn.waiting == number)  # noqa: B023 - called at once
        go_on.set()
        for each in calls:
            each.result(LONG)
    assert order == ["first", "second", "third", "first once more"]


def test_who_has_waited_long_goes_as_well() -> None:
    stuck, release = threading.Event(), threading.Event()
    in_turn = Turns(1, 0.05)

    @in_turn
    def hold() -> None:
        stuck.set()
        release.wait(LONG)

    with ThreadPoolExecutor(1) as pool:
        holding = pool.submit(hold)
        stuck.wait(LONG)
        assert in_turn(lambda: "through")() == "through"
        release.set()
        holding.result(LONG)


def test_a_turn_that_fails_is_given_back() -> None:
    in_turn = Turns(1, LONG)

    @in_turn
    def fail() -> None:
        raise ValueError("no")

    for _ in range(3):
        with pytest.raises(ValueError, match="no"):
            fail()
