"""Every fault of a backend, through a real socket: each ends in a row or a system that says why, and nothing storms."""

import socket
import ssl
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from ipaddress import IPv4Address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from backends import asking, drains, trouble
from backends.actions import edit_endpoint, resume
from backends.client import Deadlines
from backends.collecting import drain_until_idle
from backends.fetching import RetryPolicy
from backends.models import Attempt, Endpoint, System
from backends.queries import failures, progress
from tests.backends.scenes import a_collecting_experiment, an_engine, questions, states, until
from tests.fakes.model_server import (
    Asked,
    Close,
    Hang,
    ModelServer,
    Reply,
    Reset,
    chunk,
    comments_for_ever,
    drip,
    echoes,
    error_reply,
    event,
    gzip_bomb,
    huge_answer,
    json_reply,
    login_page,
    redirect,
    stream,
    text_reply,
)
from tests.servers import free_port

pytestmark = pytest.mark.django_db(transaction=True)
EMPTY_CHOICES = stream(chunk(choices=[]))
WRONG_TYPES = json_reply({"choices": "none", "usage": 7})
TRUNCATED = Reply([b'{"choices": [{"message": {"content": "Pa'], headers={"content-type": "application/json"})

# One input meets the fault, the others are answered: kind, words of the sentence, calls for that input.
OF_A_ROW: list[tuple[str, Reply, str, str, int]] = [
    ("400", error_reply(400, "bad"), "bad_request", "Check the system's parameters", 1),
    ("too long", error_reply(400, "maximum context length is 10"), "too_long", "longer than the model's context", 1),
    ("500", error_reply(500), "busy", "too busy or not ready (500)", 8),
    ("503", error_reply(503), "busy", "too busy or not ready (503). It was asked", 8),
    ("hang", Reply([Hang()]), "too_slow", "within", 2),
    ("drip", drip(), "too_slow", "within", 2),
    ("comments for ever", comments_for_ever(), "too_slow", "within", 2),
    ("reset before any byte", Reply(headers_after=[Reset()]), "unreachable", "broke the connection off", 8),
    ("reset in mid-body", Reply([event(chunk("Pa")), Reset()]), "cut_off", "broke in the middle of the answer", 4),
    ("ended early", Reply([event(chunk("Pa")), Close()]), "cut_off", "broke in the middle of the answer", 4),
    ("truncated JSON", TRUNCATED, "cut_off", "is not JSON", 4),
    ("empty choices", EMPTY_CHOICES, "cut_off", "without a finish reason", 4),
    ("wrong types", WRONG_TYPES, "cut_off", "without a finish reason", 4),
    ("an error in the stream", stream(chunk("Pa"), {"error": {"message": "died"}}), "cut_off", 'It said: "died"', 4),
    ("10 MB", huge_answer(), "too_big", "grew beyond 2,000,000 characters", 1),
    ("nothing at all", text_reply(""), "cut_off", "is not JSON", 4),
]
# The server as a whole is wrong: nobody but its owner can help, and it is asked once.
OF_A_SYSTEM: list[tuple[str, Reply, str, str]] = [
    ("401", error_reply(401), "auth", "refused the key (401)"),
    ("403", error_reply(403), "auth", "refused the key (403)"),
    ("402", error_reply(402), "money", "out of credit"),
    ("404 path", error_reply(404), "no_such_path", "Check the endpoint's base address"),
    ("404 model", error_reply(404, "The model `fake` does not exist."), "no_such_model", "has no model 'fake' (404)"),
    ("redirect", redirect("http://127.0.0.1:9/v1"), "not_an_api", "a redirect (307), which is never followed"),
    ("HTML log-in page", login_page(), "not_an_api", "web page instead of a model's answer"),
    ("gzip bomb", gzip_bomb(), "not_an_api", "Switch compression off"),
]


@pytest.fixture(autouse=True)
def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same paths with shorter waits."""
    monkeypatch.setattr(asking, "POLICY", RetryPolicy(attempts=4, base=0.01))
    monkeypatch.setattr(asking, "SHORT_WAIT_SECONDS", 0.05)
    monkeypatch.setattr(asking, "SHORTEST_PUT_OFF_SECONDS", 0.0)
    monkeypatch.setattr(trouble, "FIRST_REST_SECONDS", 0.02)
    monkeypatch.setattr("backends.collecting.POLL_SECONDS", 0.05)


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """For answers that never come: makes the wait for them short, though long enough for those that do."""
    return lambda: monkeypatch.setattr(drains, "deadlines_of", lambda _: Deadlines(connect=60, silence=0.8, total=0.8))


def only_for(prompt: str, bad: Reply) -> Callable[[Asked], Reply]:
    return lambda asked: bad if prompt in asked.prompt else echoes(asked)


@pytest.mark.parametrize(("name", "bad", "kind", "words", "calls"), OF_A_ROW, ids=[row[0] for row in OF_A_ROW])
def test_one_bad_answer_ends_its_row_with_a_sentence_and_the_others_are_fetched(
    *, impatient: Callable[[], None], name: str, bad: Reply, kind: str, words: str, calls: int
) -> None:
    if kind == "too_slow":
        impatient()
    with ModelServer(only_for("number 2?", bad)) as server:
        experiment = a_collecting_experiment(server, inputs=3)
        drain_until_idle(experiment.pk)
    (only,) = failures(experiment)
    assert (only.input, only.kind) == ("in2", kind), only.sentence
    assert words in only.sentence
    assert "asked again" not in only.sentence, "there is no other call"
    assert states(experiment) == {"done": 2, "failed": 1}
    # What is retried at once may come to its eighth call in the middle of a pair, and is then asked once more.
    most = calls + 2 if calls >= 8 else calls
    assert calls <= questions(server).count("Question number 2?") <= most
    assert System.objects.get().paused_at is None


@pytest.mark.parametrize(("name", "bad", "kind", "words"), OF_A_SYSTEM, ids=[row[0] for row in OF_A_SYSTEM])
def test_what_only_the_owner_can_mend_stops_the_system_at_once_and_a_resume_finishes(
    name: str, bad: Reply, kind: str, words: str
) -> None:
    with ModelServer(bad) as server:
        experiment = a_collecting_experiment(server, inputs=6, concurrency=2, parameters={})
        ended = drain_until_idle(experiment.pk)
        first = failures(experiment)[0]
        assert (first.input, first.kind) == (None, kind), first.sentence
        assert words in first.sentence
        assert ended.done == 0
        assert len(questions(server)) <= 2, "no storm"
        server.script = echoes
        resume(experiment=experiment)
        drain_until_idle(experiment.pk)
    assert states(experiment) == {"done": 6}
    assert failures(experiment) == []


def refused() -> str:
    return f"http://127.0.0.1:{free_port()}/v1"


def unknown() -> str:
    return "http://no-such-host.invalid/v1"


@pytest.mark.parametrize(
    ("where", "kind", "words"),
    [
        (refused, "unreachable", "could not be reached"),
        (unknown, "unreachable", "The name no-such-host.invalid could not be resolved"),
    ],
)
def test_a_server_that_is_not_there_leaves_the_rows_in_line_and_says_so(
    where: Callable[[], str], kind: str, words: str
) -> None:
    experiment = a_collecting_experiment(where(), inputs=4)
    drain_until_idle(experiment.pk)
    (only,) = failures(experiment)
    assert (only.input, only.kind) == (None, kind)
    assert words in only.sentence
    assert states(experiment) == {"pending": 4}


def signed_by_itself(folder: Path) -> ssl.SSLContext:
    """A certificate for 127.0.0.1 that nobody vouches for."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    made = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    made = (
        made.serial_number(1)
        .not_valid_before(datetime(2020, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(2120, 1, 1, tzinfo=UTC))
    )
    address = x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))])
    signed = made.add_extension(address, critical=False).sign(key, hashes.SHA256())
    file = folder / "both.pem"
    secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    file.write_bytes(secret + signed.public_bytes(Encoding.PEM))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    return context


@pytest.mark.parametrize("certificate", ["none", "its own"])
def test_a_certificate_that_nobody_vouches_for_stops_the_system(certificate: str, tmp_path: Path) -> None:
    secure = signed_by_itself(tmp_path) if certificate == "its own" else None
    with ModelServer(echoes, secure=secure) as server:
        experiment = a_collecting_experiment(server.base_url.replace("http:", "https:"), inputs=4)
        drain_until_idle(experiment.pk)
        assert questions(server) == [], "no question was told to it"
    first = failures(experiment)[0]
    assert (first.input, first.kind) == (None, "tls")
    assert "no certificate that can be trusted, or speaks no TLS" in first.sentence


def test_a_rate_limit_on_everything_is_waited_out_and_all_is_fetched() -> None:
    def script(asked: Asked) -> Reply:
        first = server.counts[asked.prompt] <= 1 and asked.prompt.startswith("Question")
        return error_reply(429, headers={"retry-after-ms": "20"}) if first else echoes(asked)

    with ModelServer(script) as server:
        experiment = a_collecting_experiment(server, inputs=4, concurrency=2)
        drain_until_idle(experiment.pk)
    assert states(experiment) == {"done": 4}
    assert Attempt.objects.filter(failure_kind="rate", status=429).count() == 4


def test_a_server_that_stays_away_for_long_is_found_again_without_a_click() -> None:
    """Ten minutes on a short clock: the rests double meanwhile, one call at a time looks."""
    back = threading.Event()

    def script(asked: Asked) -> Reply:
        return echoes(asked) if back.is_set() or len(questions(server)) <= 2 else error_reply(503, "loading")

    with ModelServer(script) as server:
        experiment = a_collecting_experiment(server, inputs=8, concurrency=2)
        with an_engine():
            until(lambda: System.objects.get().failures_in_row >= 14)
            assert server.most_at_once <= 2
            assert "failed" not in states(experiment), "a server that is away is no row's fault"
            assert progress(experiment).done == 2
            back.set()
            until(lambda: progress(experiment).done == 8)
    assert failures(experiment) == []


def test_every_input_that_no_server_can_answer_ends_while_the_server_is_well() -> None:
    bad = error_reply(500, "assertion failed")
    with ModelServer(lambda asked: bad if asked.prompt.startswith("Question") else echoes(asked)) as server:
        experiment = a_collecting_experiment(server, inputs=2, concurrency=2)
        with an_engine():
            until(lambda: progress(experiment).failed == 2)
    assert [(one.input, one.kind) for one in failures(experiment)] == [("in1", "busy"), ("in2", "busy")]
    assert System.objects.get().circuit_until is None


def test_a_server_of_another_address_after_an_edit_is_asked_there() -> None:
    with ModelServer(echoes) as server:
        experiment = a_collecting_experiment(refused(), inputs=2)
        drain_until_idle(experiment.pk)
        edit_endpoint(endpoint=Endpoint.objects.get(), base_url=server.base_url)
        resume(experiment=experiment)
        drain_until_idle(experiment.pk)
    assert states(experiment) == {"done": 2}


class Deaf:
    """A port that accepts connections and never reads: what a frozen process looks like."""

    def __enter__(self) -> str:
        self.socket = socket.create_server(("127.0.0.1", 0))
        return f"http://127.0.0.1:{self.socket.getsockname()[1]}/v1"

    def __exit__(self, *_: object) -> None:
        self.socket.close()


def test_a_frozen_server_is_told_in_words(impatient: Callable[[], None]) -> None:
    impatient()
    with Deaf() as address:
        experiment = a_collecting_experiment(address, inputs=1)
        drain_until_idle(experiment.pk)
    (only,) = failures(experiment)
    assert (only.input, only.kind) == ("in1", "too_slow")
    assert "raise the endpoint's total deadline" in only.sentence
