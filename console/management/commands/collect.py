"""`collect EXPERIMENT [--wait] [--retry-failed]`: have the answers fetched, or go on fetching them."""

import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.core.management.base import CommandError, CommandParser

from backends.actions import start_collecting
from backends.collecting import drain_until_idle
from backends.queries import Failure, Progress, failures, progress
from console.command import ExperimentCommand
from console.personal import warning
from console.progress import judgments
from experiments.models import Experiment

BAR_WIDTH = 30
SHOWN = 20
LINE_SECONDS = 10.0  # between two lines where stderr is no terminal


class Command(ExperimentCommand):
    """Without --wait the server (or a worker) fetches; with it this process does, and exits 1 on failures."""

    help = "Fetch the answers of an experiment's systems, or go on fetching."

    def add_options(self, parser: CommandParser) -> None:
        """--wait and --retry-failed."""
        parser.add_argument("--wait", action="store_true", help="fetch in this process until all is done")
        parser.add_argument("--retry-failed", action="store_true", help="ask again for answers that failed")

    def run_on(self, experiment: Experiment, **options: Any) -> None:
        """Queue the rows; with --wait drain them."""
        self.warn(*warning(experiment))
        waiting = start_collecting(experiment=experiment, retry_failed=options["retry_failed"])
        if not options["wait"]:
            self.say(f"{waiting} answers of {experiment.slug} wait to be fetched; the server fetches them.")
            self._print(experiment, progress(experiment), failures(experiment))
            return
        bar = Bar(self.stderr)
        try:
            with told_to_stop_like_interrupted():
                now = drain_until_idle(experiment.pk, bar.show)
        finally:
            bar.end()
        failed = failures(experiment)
        self._print(experiment, now, failed)
        if failed or now.unfinished:
            raise CommandError(_sentence(now, failed), returncode=1)

    def _print(self, experiment: Experiment, now: Progress, failed: list[Failure]) -> None:
        for system in now.systems:
            self.say(f"{system.name}: {system.done} of {system.total} answers, {system.failed} failed")
        for one in failed[:SHOWN]:
            self.say(f"  {one.system}{f', input {one.input}' if one.input else ''}: {one.sentence}")
        if len(failed) > SHOWN:
            self.say(f"  … and {len(failed) - SHOWN} more; --json lists them all")
        self.facts(
            {
                "status": experiment.status,
                "completions": now.as_json(),
                "failures": [one.as_json() for one in failed],
                "judgments": judgments(experiment),
            }
        )


@contextmanager
def told_to_stop_like_interrupted() -> Iterator[None]:
    """SIGTERM ends the block as Ctrl+C does: calls come to their end or are given back, and no lease has to run out."""
    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread is told
        return
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


class Bar:
    """How far collecting is, on stderr: redrawn on a terminal, a line now and then elsewhere."""

    def __init__(self, stream: Any) -> None:
        self._stream, self._terminal = stream, sys.stderr.isatty()
        self._last, self._at = "", 0.0

    def show(self, now: Progress) -> None:
        """Draw it, if it says something new."""
        ended = now.done + now.failed
        line = f"{ended}/{now.total} answers, {now.failed} failed, {now.running} under way"
        pause = 0.0 if self._terminal else LINE_SECONDS
        if line == self._last or time.monotonic() - self._at < pause:
            return
        self._last, self._at = line, time.monotonic()
        if self._terminal:
            full = round(BAR_WIDTH * ended / max(1, now.total))
            self._stream.write(f"\r[{'#' * full}{'.' * (BAR_WIDTH - full)}] {line}\x1b[K", ending="")
        else:
            self._stream.write(line)
        self._stream.flush()

    def end(self) -> None:
        """Leave the last state standing."""
        if self._terminal and self._last:
            self._stream.write("")


def _sentence(now: Progress, failed: list[Failure]) -> str:
    missing = f"{now.failed} answers failed and {now.unfinished} are still to come"
    return f"{missing}. {failed[0].system}: {failed[0].sentence}" if failed else f"{missing}."
