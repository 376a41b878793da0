"""On the scaled footing, too, what was deleted is gone: from the rows, from every key of Redis, from files and logs."""

import json
from pathlib import Path

import httpx
import pytest
import redis

from tests.fakes.model_server import ModelServer
from tests.faults.asked import add_asked, fetched, polite
from tests.faults.assault import rows
from tests.faults.killable import Postgres, Redis, Web, Worker, folders, scaled, started, until
from tests.faults.owners import EMAIL, make_owner, sign_in
from tests.journeys.drivers import Installation

pytestmark = [pytest.mark.processes, pytest.mark.postgres, pytest.mark.redis]
CANARY = "Quillfeather's most confidential request"
TABLES = "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'"


def in_redis(broker: Redis) -> list[str]:
    """Keys of any database whose name or value holds it, and the file that Redis writes of everything."""
    found = []
    for number in range(16):
        with redis.Redis(port=broker.port, db=number) as client:
            for key in client.scan_iter():
                if CANARY.encode() in key + (client.dump(key) or b""):
                    found.append(repr(key))
    with redis.Redis(port=broker.port) as client:
        client.config_set("rdbcompression", "no")
        client.save()
    return found + in_files(broker.folder)


def in_files(folder: Path) -> list[str]:
    return [str(path) for path in folder.rglob("*") if path.is_file() and CANARY.encode() in path.read_bytes()]


def in_rows(here: Installation) -> list[str]:
    names = [name for (name,) in rows(here, TABLES)]
    held = "SELECT count(*) FROM {0} WHERE position($${1}$$ in {0}::text) > 0"
    return [name for name in names if rows(here, held.format(f'"{name}"', CANARY)) != [(0,)]]


def test_nothing_of_a_deleted_experiment_is_left_in_rows_redis_files_or_logs() -> None:
    with folders("here", "postgres", "redis") as (folder, place, at_redis), ModelServer(polite) as server:
        postgres, broker = Postgres(place), Redis(at_redis)
        with started(postgres, broker):
            here = scaled(folder, postgres, broker, LOG_LEVEL="INFO", LOG_FORMAT="json")
            here.make_ready()
            make_owner(here)
            web, worker = Web(here), Worker(here)
            with started(web, worker), httpx.Client(base_url=web.address, timeout=60) as owner:
                add_asked(here, server.base_url, inputs=2, words=CANARY, owner=EMAIL)
                here.run("collect", "asked")
                until(lambda: fetched(here) == 2)
                sign_in(owner)
                (pk,) = [one for (one,) in rows(here, "SELECT id FROM experiments_experiment")]
                for page in ("", "inputs/", "collecting/", "check/"):
                    assert owner.get(f"/experiments/{pk}/{page}").status_code == 200
                assert "most confidential request" in owner.get(f"/experiments/{pk}/inputs/").text
                assert {"experiments_input", "backends_completion"} <= set(in_rows(here)), "the eyes can see"
                with redis.Redis(port=broker.port, db=3) as client:
                    client.set("planted", json.dumps([CANARY]))
                    assert len(in_redis(broker)) == 2, "the key, and the file of everything"
                    client.delete("planted")
                for path in folder.glob("*.jsonl"):
                    path.unlink()  # the owner's own
                here.run("delete", "asked")
                until(lambda: not in_rows(here) and not in_redis(broker), patience=60)
                assert in_files(folder) == []
