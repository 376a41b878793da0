"""Runs the tests: on SQLite, and with --scale again on a real Postgres with a real Redis."""

import argparse
import os
import subprocess
import sys
from contextlib import ExitStack

from tests.servers import postgres, redis_server

PROCESSES = min((os.cpu_count() or 1) + 1, 5)  # one more than there are cores: many a test waits for its servers
# Compiled modules are kept: pytest rewrites its own, too, and would do so again in every process.
NOT_INHERITED = ("DATABASE_URL", "REDIS_URL", "PYTHONDONTWRITEBYTECODE")


def main() -> int:
    """Take --scale; hand everything else to pytest. Returns pytest's exit code, the worse of two."""
    parser = argparse.ArgumentParser(prog="./blindpair test")
    parser.add_argument("--scale", action="store_true", help="also on Postgres and Redis")
    options, rest = parser.parse_known_args()
    environment = {name: value for name, value in os.environ.items() if name not in NOT_INHERITED}
    code = _pytest("SQLite", rest, environment)
    if not options.scale:
        return code
    with ExitStack() as stack:
        environment["DATABASE_URL"] = stack.enter_context(postgres())
        environment["TEST_REDIS_URL"] = stack.enter_context(redis_server())
        return max(code, _pytest("Postgres and Redis", rest, environment))


def _pytest(footing: str, arguments: list[str], environment: dict[str, str]) -> int:
    sys.stdout.write(f"== tests on {footing}\n")
    sys.stdout.flush()
    # A file's tests stay together, so that what a file sets up is set up once; `-n 0` runs all in one process.
    shared = ["-n", str(PROCESSES), "--dist", "loadfile", "--no-loadscope-reorder"]
    alone = any(word.startswith("-n") for word in arguments)
    return subprocess.call([sys.executable, "-m", "pytest", *([] if alone else shared), *arguments], env=environment)


sys.exit(main())
