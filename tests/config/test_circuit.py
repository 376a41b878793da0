"""When the database was away, one request looks again and the others are told at once."""

import pytest

from config.postgres import base
from config.postgres.base import LOOK_AGAIN_SECONDS, Circuit


class Clock:
    """A monotonic clock that a test sets."""

    now = 100.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(base, "time", made)
    return made


def test_everybody_is_let_through_while_all_is_well(clock: Clock) -> None:
    circuit = Circuit()
    assert all(circuit.admit(4) for _ in range(5))
    circuit.found(away=False)
    assert circuit.admit(4)


def test_after_a_vain_wait_nobody_waits_for_a_second_and_then_one(clock: Clock) -> None:
    circuit = Circuit()
    circuit.admit(4)
    circuit.found(away=True)
    assert not circuit.admit(4)
    clock.now += LOOK_AGAIN_SECONDS
    assert circuit.admit(4)
    assert not circuit.admit(4), "one is looking already"
    clock.now += 4
    assert circuit.admit(4), "whoever looked never came back"


def test_a_look_that_succeeds_lets_everybody_through_again(clock: Clock) -> None:
    circuit = Circuit()
    circuit.found(away=True)
    clock.now += LOOK_AGAIN_SECONDS
    assert circuit.admit(4)
    circuit.found(away=False)
    assert all(circuit.admit(4) for _ in range(5))
