"""A throughput run: how many requests a second a server sustains with so many under way, and how slow it gets."""

import itertools
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import urlsplit

import numpy as np
from django.utils import timezone

from backends.adapters.contract import ChatRequest, Target
from backends.client import WireClient
from backends.deadlines import deadlines_of
from backends.endpoints import policy, target_of
from backends.fetching import fetch
from backends.hosts import PRIVATE, unwrapped
from backends.models import Completion, LoadRun, State, System
from backends.network import resolve
from backends.streams import Fetched
from experiments.models import Experiment, Input
from experiments.refusals import Refused

MOST_CONCURRENT, MOST_REQUESTS, MOST_SECONDS = 256, 2_000, 600.0
QUANTILES = (0.5, 0.95, 0.99)
Answer = tuple[float, float | None]  # end to end and first token, ms


class CannotLoad(Refused):
    """A throughput run that makes no sense, or that would cost or disturb somebody."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """What one concurrency gave: throughput in answers a second, times in ms at the quantiles."""

    concurrency: int
    requests: int
    failed: int
    seconds: float
    throughput: float
    quantiles: dict[str, float]
    sentence: str = ""


def run_load(
    *,
    experiment: Experiment,
    system_name: str,
    concurrency: Sequence[int],
    requests: int | None = None,
    seconds: float = 60.0,
    even_an_api: bool = False,
    progress: Callable[[Level], None] | None = None,
) -> list[LoadRun]:
    """Ask the experiment's own inputs in a closed loop at each concurrency, and store what was measured.

    At most `requests` (default 10 for each one under way, at least 50) and `seconds` a level. Raises CannotLoad.
    """
    _check(concurrency, requests, seconds)
    system = _system(experiment, system_name)
    assert system.endpoint is not None  # noqa: S101 - _system has refused recorded ones
    target = target_of(system.endpoint)
    if not even_an_api and _is_public(target):
        raise CannotLoad(
            f"{_host(target)} is not on this machine or network: a throughput run there costs money and other "
            "people's capacity. Say --api if it is yours to load."
        )
    _refuse_while_collecting(system)
    chats = _questions(experiment, system)
    stored = []
    with WireClient(policy=policy(), concurrency=max(concurrency), deadlines=deadlines_of(system.endpoint)) as client:
        fetch(client, target, chats[0])  # not measured: it loads what the server has put away
        for places in concurrency:
            most = requests or max(50, 10 * places)
            level = measure(client, target, chats, places=places, requests=most, seconds=seconds)
            stored.append(_store(system, level))
            if progress:
                progress(level)
    return stored


def measure(
    client: WireClient, target: Target, chats: Sequence[ChatRequest], *, places: int, requests: int, seconds: float
) -> Level:
    """One level; calls under way when the time is up come to their end and count."""
    turn = iter(range(requests))
    endless = itertools.cycle(chats)
    lock, answers, failures = threading.Lock(), list[Answer](), list[str]()
    deadline = time.monotonic() + seconds

    def work() -> None:
        while time.monotonic() < deadline:
            with lock:
                if next(turn, None) is None:
                    return
                chat = next(endless)
            _, result = fetch(client, target, chat)
            if isinstance(result, Fetched):
                answers.append((result.latency_ms, result.ttft_ms))
            else:
                failures.append(result.sentence)
                if len(failures) >= 5 and not answers:
                    return  # nothing to measure here

    threads = [threading.Thread(target=work, name=f"load-{number}", daemon=True) for number in range(places)]
    began = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    took = max(time.monotonic() - began, 1e-6)
    if not answers:
        raise CannotLoad(f"no answer came at concurrency {places}: {failures[0] if failures else 'no time was left.'}")
    return Level(
        concurrency=places,
        requests=len(answers) + len(failures),
        failed=len(failures),
        seconds=took,
        throughput=len(answers) / took,
        quantiles=_quantiles(answers),
        sentence=failures[-1] if failures else "",
    )


def _check(concurrency: Sequence[int], requests: int | None, seconds: float) -> None:
    if not concurrency or not all(1 <= places <= MOST_CONCURRENT for places in concurrency):
        raise CannotLoad(f"concurrency is one or more numbers from 1 to {MOST_CONCURRENT}, such as 1,2,4,8.")
    if requests is not None and not 1 <= requests <= MOST_REQUESTS:
        raise CannotLoad(f"requests must be from 1 to {MOST_REQUESTS} a level.")
    if not 0 < seconds <= MOST_SECONDS:
        raise CannotLoad(f"seconds must be above 0 and at most {MOST_SECONDS:.0f} a level.")


def _system(experiment: Experiment, name: str) -> System:
    systems = System.objects.filter(arm__experiment=experiment).select_related("endpoint")
    found = systems.filter(name=name).first()
    if found is None:
        there = ", ".join(systems.order_by("name").values_list("name", flat=True)) or "none"
        raise CannotLoad(f"the experiment has no system {name!r}. It has: {there}.")
    if found.endpoint is None:
        raise CannotLoad(f"{name!r} has recorded answers only: there is no server to load.")
    return found


def _refuse_while_collecting(system: System) -> None:
    live = Completion.objects.filter(
        system__endpoint=system.endpoint_id, state=State.RUNNING, lease_until__gt=timezone.now()
    )
    if live.exists():
        raise CannotLoad("answers are being collected from this server: the two would disturb each other. Pause it.")


def _questions(experiment: Experiment, system: System) -> list[ChatRequest]:
    rows = Input.objects.filter(experiment=experiment).values_list("messages", flat=True)
    raised = system.preflight.get("before", {}).get("num_ctx")
    parameters = {"num_ctx": raised, **system.parameters} if raised else system.parameters
    chats = [
        ChatRequest(
            model=system.model_id,
            messages=messages,
            system_prompt=system.system_prompt,
            parameters=parameters,
        )
        for messages in rows
    ]
    if not chats:
        raise CannotLoad("the experiment has no inputs to ask.")
    return chats


def _is_public(target: Target) -> bool:
    """Whether the server is an API, or lives beyond this machine and its private networks."""
    if target.profile.needs_key:
        return True
    host = _host(target)
    try:
        addresses = [str(ip_address(host))]
    except ValueError:
        try:
            addresses = resolve(host, 0)
        except OSError:
            return True
    reached = [unwrapped(address) for address in addresses]
    return not all(any(one.version == net.version and one in net for net in PRIVATE) for one in reached)


def _host(target: Target) -> str:
    return urlsplit(target.base_url).hostname or ""


def _quantiles(answers: Sequence[Answer]) -> dict[str, float]:
    """Type 7, as everywhere in the report."""
    whole = [end for end, _ in answers]
    first = [ttft for _, ttft in answers if ttft is not None]
    found = {f"e2e_p{round(q * 100)}": float(np.quantile(whole, q)) for q in QUANTILES}
    if first:
        found |= {f"ttft_p{round(q * 100)}": float(np.quantile(first, q)) for q in QUANTILES}
    return found


def _store(system: System, level: Level) -> LoadRun:
    return LoadRun.objects.create(
        system=system,
        concurrency=level.concurrency,
        requests=level.requests,
        failed=level.failed,
        seconds=level.seconds,
        throughput=level.throughput,
        quantiles=level.quantiles,
    )
