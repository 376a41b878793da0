"""Collecting, from rows in line to stored answers, over real sockets and threads."""

import threading
import time
from collections import Counter
from itertools import pairwise

import pytest
from django.db.backends.utils import CursorWrapper
from django.utils import timezone

from backends import finishing
from backends.actions import cancel, pause, resume, start_collecting
from backends.claiming import take_back_overdue
from backends.collecting import Engine, drain_until_idle, fair_places
from backends.models import Attempt, Completion, System
from backends.queries import failures, progress
from experiments.models import Output, Status
from tests.backends.scenes import (
    PATIENCE_SECONDS,
    Gate,
    a_collecting_experiment,
    an_asked_experiment,
    an_engine,
    claimed,
    questions,
    states,
    until,
)
from tests.fakes.model_server import Asked, ModelServer, Reply, answers, chunk, echoes, stream

pytestmark = pytest.mark.django_db(transaction=True)


def test_every_input_is_asked_once_and_every_answer_stored() -> None:
    with ModelServer(echoes) as server:
        experiment = a_collecting_experiment(server, inputs=5, concurrency=2)
        ended = drain_until_idle(experiment.pk)
    assert (ended.done, ended.failed, ended.unfinished) == (5, 0, 0)
    assert Counter(questions(server)) == Counter(f"Question number {n}?" for n in range(1, 6))
    assert sorted(Output.objects.values_list("text", flat=True)) == [
        f"You said: Question number {n}?" for n in range(1, 6)
    ]
    row = Completion.objects.first()
    assert row is not None
    assert row.outcome == "complete"
    assert row.attempts == row.tries.count() == 1
    assert 0 < (row.ttft_ms or 0) <= (row.latency_ms or 0) <= (row.user_ms or 0)
    assert row.usage["input"] == 10
    assert row.claim == ""


def test_all_first_samples_come_before_any_second_and_only_they_are_shown() -> None:
    with ModelServer(echoes) as server:
        experiment = a_collecting_experiment(server, inputs=3, samples=2)
        drain_until_idle(experiment.pk)
    once = [f"Question number {n}?" for n in (1, 2, 3)]
    assert questions(server) == once + once
    assert Output.objects.count() == 3
    assert Completion.objects.filter(sample=1, output__isnull=True, latency_ms__gt=0).count() == 3


def test_starting_again_asks_nothing_that_was_saved() -> None:
    with ModelServer(echoes) as server:
        experiment = a_collecting_experiment(server)
        drain_until_idle(experiment.pk)
        start_collecting(experiment=experiment, retry_failed=True)
        drain_until_idle(experiment.pk)
    assert set(Counter(questions(server)).values()) == {1}


def test_the_declared_concurrency_is_used_and_kept() -> None:
    gate = Gate()
    with ModelServer(gate) as server:
        experiment = a_collecting_experiment(server, inputs=9, concurrency=3)
        with an_engine():
            until(lambda: len(questions(server)) == 3)
            time.sleep(0.1)
            assert len(questions(server)) == 3
            gate.opened.set()
            until(lambda: progress(experiment).done == 9)
    assert server.most_at_once == 3


def test_systems_that_share_an_endpoint_take_turns_within_its_limit() -> None:
    gate = Gate()
    with ModelServer(gate) as server:
        experiment = a_collecting_experiment(
            server, inputs=6, systems=2, concurrency=4, endpoint={"max_concurrency": 4}
        )
        with an_engine():
            until(lambda: len(questions(server)) == 4)
            time.sleep(0.1)
            running = Completion.objects.filter(state="running").values_list("system__name", flat=True)
            assert Counter(running) == {"system-1": 2, "system-2": 2}
            gate.opened.set()
            until(lambda: progress(experiment).done == 12)
    assert server.most_at_once == 4


def test_two_engines_never_ask_the_same_row_and_keep_the_limit_together() -> None:
    gate = Gate()
    with ModelServer(gate) as server:
        experiment = a_collecting_experiment(server, inputs=30, concurrency=4)
        with an_engine(), an_engine():
            until(lambda: len(questions(server)) == 4)
            time.sleep(0.5)  # the engine that found no place tries again meanwhile
            assert len(questions(server)) == 4
            gate.opened.set()
            until(lambda: progress(experiment).done == 30)
    assert Counter(questions(server)) == Counter(f"Question number {n}?" for n in range(1, 31))
    assert server.most_at_once <= 4


def test_an_answer_is_saved_while_others_are_still_under_way() -> None:
    gate = Gate()

    def script(asked: Asked) -> Reply:
        return gate(asked) if "number 1?" in asked.prompt else echoes(asked)

    with ModelServer(script) as server:
        experiment = a_collecting_experiment(server, inputs=4, concurrency=2)
        with an_engine():
            until(lambda: states(experiment) == {"done": 3, "running": 1})
            gate.opened.set()
            until(lambda: states(experiment) == {"done": 4})


def test_a_row_whose_worker_is_gone_is_asked_again() -> None:
    with ModelServer(echoes) as server:
        experiment = a_collecting_experiment(server, inputs=2)
        system = System.objects.get()
        claimed(system.pk, wanted=1, lease_seconds=-1)
        assert states(experiment) == {"pending": 1, "running": 1}
        drain_until_idle(experiment.pk)
    assert states(experiment) == {"done": 2}
    assert sorted(Completion.objects.values_list("attempts", flat=True)) == [1, 2]


def test_a_claim_is_renewed_while_its_call_runs() -> None:
    gate = Gate()
    with ModelServer(gate) as server:
        experiment = a_collecting_experiment(server, inputs=1)
        with an_engine(lease_seconds=4) as one, an_engine(lease_seconds=4):
            until(lambda: len(questions(server)) == 1)
            first = Completion.objects.get().lease_until
            assert first is not None
            until(lambda: Completion.objects.filter(lease_until__gt=first).exists(), "the claim was never renewed")
            one.ring()
            assert len(questions(server)) == 1
            gate.opened.set()
            until(lambda: progress(experiment).done == 1)
    assert len(questions(server)) == 1


def test_an_answer_that_comes_after_its_claim_was_lost_is_discarded() -> None:
    gate = Gate()
    with ModelServer(gate) as server:
        experiment = a_collecting_experiment(server, inputs=1)
        with an_engine():
            until(lambda: len(questions(server)) == 1)
            Completion.objects.update(claim="somebody else's")
            gate.opened.set()
    assert states(experiment) == {"running": 1}
    assert not Output.objects.exists()


def test_an_answer_is_saved_whole_or_not_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    reached = threading.Event()

    def dies(_: object) -> list[Attempt]:
        """After the output and the row, before the record of the calls; and whoever tries it once more as well."""
        reached.set()
        raise ZeroDivisionError

    with ModelServer(echoes) as server:
        experiment = a_collecting_experiment(server, inputs=1)
        with monkeypatch.context() as broken:
            broken.setattr(finishing, "_attempts", dies)
            with an_engine():
                assert reached.wait(PATIENCE_SECONDS)
        assert states(experiment) == {"running": 1}
        assert not Output.objects.exists()
        Completion.objects.update(lease_until=timezone.now())
        drain_until_idle(experiment.pk)
    assert states(experiment) == {"done": 1}
    assert Output.objects.count() == Attempt.objects.count() == 1


def test_a_row_that_was_begun_again_and_again_ends_at_last() -> None:
    with ModelServer(echoes) as server:
        experiment = a_collecting_experiment(server, inputs=1)
        Completion.objects.update(attempts=19)
        claimed(System.objects.get().pk, wanted=1, lease_seconds=-1)
        take_back_overdue()
    (lost,) = failures(experiment)
    assert lost.kind == "lost"
    assert "begun 20 times" in lost.sentence


def test_deleting_an_experiment_while_it_is_collected_leaves_nothing_behind() -> None:
    gate = Gate()
    with ModelServer(gate) as server:
        experiment = a_collecting_experiment(server, inputs=3, concurrency=2)
        with an_engine() as engine:
            until(lambda: len(questions(server)) == 2)
            experiment.delete()
            gate.opened.set()
            until(lambda: not engine.busy)
    assert not Completion.objects.exists()
    assert not Output.objects.exists()
    assert len(questions(server)) == 2


def test_a_pause_takes_effect_within_one_answer() -> None:
    gate = Gate()
    with ModelServer(gate) as server:
        experiment = a_collecting_experiment(server, inputs=6, concurrency=2)
        with an_engine() as engine:
            until(lambda: len(questions(server)) == 2)
            assert pause(experiment=experiment) == 1
            gate.opened.set()
            until(lambda: states(experiment) == {"done": 2, "pending": 4} and not engine.busy)
            assert len(questions(server)) == 2
            assert resume(experiment=experiment) == 4
            until(lambda: progress(experiment).done == 6)
    assert len(questions(server)) == 6


def test_a_cancelled_row_takes_no_answer_any_more() -> None:
    gate = Gate()
    with ModelServer(gate) as server:
        experiment = a_collecting_experiment(server, inputs=4, concurrency=2)
        with an_engine() as engine:
            until(lambda: len(questions(server)) == 2)
            assert cancel(experiment=experiment) == 4
            gate.opened.set()
            until(lambda: not engine.busy)
    assert states(experiment) == {"failed": 4}
    assert {one.kind for one in failures(experiment)} == {"cancelled"}
    assert len(questions(server)) == 2


def test_the_opening_of_rating_ends_collecting() -> None:
    with ModelServer(echoes) as server:
        experiment = a_collecting_experiment(server, inputs=2)
        experiment.status, experiment.sealed_at, experiment.seal = Status.RATING, timezone.now(), "0" * 64
        experiment.save()
        drain_until_idle(experiment.pk)
    assert questions(server) == []


def test_stopping_finishes_the_calls_under_way_and_takes_no_more() -> None:
    gate = Gate()
    with ModelServer(gate) as server:
        experiment = a_collecting_experiment(server, inputs=4, concurrency=2)
        engine = Engine()
        engine.start()
        until(lambda: len(questions(server)) == 2)
        stopping = threading.Thread(target=engine.stop)
        engine.stop_claiming()
        stopping.start()
        gate.opened.set()
        stopping.join(PATIENCE_SECONDS)
    assert states(experiment) == {"done": 2, "pending": 2}


def test_stopping_gives_back_what_does_not_end_in_time() -> None:
    gate = Gate()
    with ModelServer(gate) as server:
        experiment = a_collecting_experiment(server, inputs=2)
        engine = Engine()
        engine.start()
        until(lambda: len(questions(server)) == 1)
        engine.stop(seconds=0.1)
        assert states(experiment) == {"pending": 2}
        gate.opened.set()
        until(lambda: not engine.busy)
        assert states(experiment) == {"pending": 2}
        drain_until_idle(experiment.pk)
    assert states(experiment) == {"done": 2}


def test_the_doorbell_alone_brings_an_answer_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    # Who missed a ring would look again long after the test has lost its patience; the bench tells the milliseconds.
    monkeypatch.setattr("backends.collecting.POLL_SECONDS", PATIENCE_SECONDS * 4)
    with ModelServer(echoes) as server:
        experiment = an_asked_experiment(server, inputs=1)
        System.objects.update(preflight={"before": {"server": "fake"}})
        with an_engine(lease_seconds=PATIENCE_SECONDS * 16):
            for _ in range(3):
                Completion.objects.all().delete()
                Output.objects.all().delete()
                time.sleep(0.05)
                start_collecting(experiment=experiment)
                until(lambda: progress(experiment).done == 1)


def test_a_fault_of_our_own_ends_one_row_not_the_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    with ModelServer(echoes) as server:
        experiment = a_collecting_experiment(server, inputs=2)
        monkeypatch.setattr("backends.asking.fetch_with_retries", broken)
        drain_until_idle(experiment.pk)
    assert {one.kind for one in failures(experiment)} == {"internal"}
    assert states(experiment) == {"failed": 2}


def test_a_truncated_refused_or_empty_answer_is_done_but_no_success() -> None:
    replies = {
        "1": answers("Half an", finish="length"),
        "2": answers("No.", finish="content_filter"),
        "3": answers("", finish="stop"),
    }

    def script(asked: Asked) -> Reply:
        return replies.get(asked.prompt.removeprefix("Question number ")[0], answers("Yes."))

    with ModelServer(script) as server:
        experiment = a_collecting_experiment(server, inputs=3)
        drain_until_idle(experiment.pk)
    rows = Completion.objects.order_by("input__position").values_list("outcome", "output__state")
    assert list(rows) == [("truncated", "withheld"), ("refused", "withheld"), ("empty", "empty")]
    assert all(row.sentence for row in Completion.objects.all())


def test_an_answer_of_thoughts_alone_is_empty() -> None:
    thoughts = stream(chunk("", role="assistant"), chunk("<think>Hm.</think>"), chunk(finish="stop"))
    with ModelServer(thoughts) as server:
        experiment = a_collecting_experiment(server, inputs=1)
        drain_until_idle(experiment.pk)
    assert Completion.objects.get().outcome == "empty"


def test_each_call_is_on_record() -> None:
    limits = {"x-ratelimit-remaining-requests": "7", "x-request-id": "req-9"}
    with ModelServer([stream(chunk("Half"), done=False, headers=limits), answers("Whole.")]) as server:
        experiment = a_collecting_experiment(server, inputs=1, preflight={"after": {}, "before": {}})
        Completion.objects.filter(sample=0).update(not_before=None)
        System.objects.update(preflight={"before": {}, "after": {}})
        Completion.objects.update(finished_at=timezone.now())  # no warm-up
        drain_until_idle(experiment.pk)
    first, second = Attempt.objects.order_by("number")
    assert (first.failure_kind, second.failure_kind) == ("cut_off", "")
    assert second.wait_ms >= 0
    assert first.connect_ms is not None
    assert first.sent_ms is not None
    assert second.sent_ms is not None
    assert second.sent_ms > first.sent_ms
    assert first.told == limits
    assert (second.last_token_ms or 0) >= (second.first_token_ms or 0) > 0
    assert first.sent["temperature"] == 0
    assert "top_p" not in first.sent, "what was not sent is missing"
    assert "messages" not in first.sent
    row = Completion.objects.get()
    assert row.attempts == 2
    assert row.user_ms is not None
    assert row.latency_ms is not None
    assert row.user_ms > row.latency_ms


def test_shared_places_are_divided_evenly_and_what_one_leaves_goes_to_the_others() -> None:
    with ModelServer(echoes) as server:
        an_asked_experiment(server, systems=3, concurrency=6, endpoint={"max_concurrency": 8})
        System.objects.filter(name="system-1").update(concurrency=1)
        systems = list(System.objects.select_related("endpoint").order_by("name"))
        places = fair_places(systems)
    assert [places[system.pk] for system in systems] == [1, 3, 4]


def test_an_engine_at_rest_looks_once_a_second_and_asks_little(monkeypatch: pytest.MonkeyPatch) -> None:
    looks, asked = [], []
    tend, execute = Engine.tend, CursorWrapper.execute
    monkeypatch.setattr(Engine, "tend", lambda engine: (looks.append(time.monotonic()), tend(engine))[1])
    monkeypatch.setattr(CursorWrapper, "execute", lambda *words: (asked.append(words[1]), execute(*words))[1])
    with an_engine():
        until(lambda: len(looks) == 3)
    assert all(later - earlier > 0.99 for earlier, later in pairwise(looks))
    assert len([sql for sql in asked if sql.startswith(("SELECT", "UPDATE"))]) <= 2 * len(looks), asked
