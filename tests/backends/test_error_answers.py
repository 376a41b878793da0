"""What an error answer means: every shape of section and server, over a real socket, and every spelling of a wait."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from backends import client
from backends.error_answers import read_error, retry_after
from backends.failures import KINDS
from tests.fakes.asking import KEY, refusal
from tests.fakes.model_server import (
    ModelServer,
    Reply,
    error_reply,
    gzip_bomb,
    huge_answer,
    json_reply,
    login_page,
    redirect,
    stream,
    text_reply,
)

NOW = datetime(2026, 11, 23, 12, 0, 0, tzinfo=UTC)
SHAPES = {
    "an object": '{"error": {"message": "no room"}}',
    "a text": '{"error": "no room"}',
    "a text with a type": '{"error": "no room", "error_type": "overloaded"}',
    "flat": '{"object": "error", "message": "no room", "code": 503}',
    "FastAPI": '{"detail": "no room"}',
    "FastAPI in a list": '{"detail": [{"loc": ["body", "top_p"], "msg": "no room"}]}',
    "Anthropic": '{"type": "error", "error": {"type": "overloaded_error", "message": "no room"}, "request_id": "r"}',
    "Gemini without alt=sse": '[{"error": {"code": 503, "message": "no room", "status": "UNAVAILABLE"}}]',
    "plain text": "no room",
}


@pytest.mark.parametrize("shape", SHAPES)
def test_an_error_is_read_whatever_its_shape(shape: str) -> None:
    assert "no room" in read_error(SHAPES[shape]).message


@pytest.mark.parametrize("body", ["", "null", "[]", "{}", '{"error": null}', "5", "[[[", '{"error": {"code": null}}'])
def test_an_odd_error_body_is_no_crash(body: str) -> None:
    with ModelServer(text_reply(body, status=500, content_type="application/json")) as server:
        assert refusal(server).kind.name == "busy"


CLASSES = [
    (400, {"message": "temperature must be non-negative"}, "bad_request"),
    (405, {"message": "Method Not Allowed"}, "no_such_path"),
    (413, {"message": "too much"}, "bad_request"),
    (415, {"message": "media type"}, "bad_request"),
    (422, {"message": "top_p must be > 0.0 and < 1.0"}, "bad_request"),
    (401, {"message": "Unauthorized"}, "auth"),
    (403, {"message": "Forbidden"}, "auth"),
    (400, {"message": "API key not valid. Please pass a valid API key."}, "auth"),
    (500, {"message": "No connected db."}, "auth"),
    (404, {"message": "The model `x` does not exist.", "type": "NotFoundError"}, "no_such_model"),
    (404, {"message": "models/x is not found for API version v1beta"}, "no_such_model"),
    (404, {"message": "model: claude-x", "type": "not_found_error"}, "no_such_model"),
    (404, {"message": 'model "x" not found, try pulling it first'}, "no_such_model"),
    (404, {"message": "gone", "code": "DeploymentNotFound"}, "no_such_model"),
    (400, {"message": "Invalid model name passed in model=x"}, "no_such_model"),
    (404, {"message": "File Not Found"}, "no_such_path"),
    (402, {"message": "Insufficient Balance"}, "money"),
    (429, {"message": "You exceeded your current quota", "code": "insufficient_quota"}, "money"),
    (400, {"message": "Your credit balance is too low"}, "money"),
    (429, {"message": "Rate limit reached", "code": "rate_limit_exceeded"}, "rate"),
    (408, {"message": "timeout"}, "busy"),
    (500, {"message": "engine dead"}, "busy"),
    (502, {"message": "bad gateway"}, "busy"),
    (503, {"message": "Loading model", "type": "unavailable_error"}, "busy"),
    (504, {"message": "gateway timeout"}, "busy"),
    (529, {"message": "Overloaded"}, "busy"),
    (400, {"message": "This model's maximum context length is 1024 tokens."}, "too_long"),
    (400, {"message": "request (3612 tokens) exceeds", "type": "exceed_context_size_error"}, "too_long"),
    (400, {"message": "too long", "code": "context_length_exceeded"}, "too_long"),
    (400, {"message": "prompt is too long: 250000 tokens > 200000 maximum"}, "too_long"),
]


@pytest.mark.parametrize(("status", "error", "kind"), CLASSES)
def test_the_class_of_an_error_is_told_from_status_and_words(status: int, error: dict[str, str], kind: str) -> None:
    with ModelServer(json_reply({"error": error}, status=status)) as server:
        failure = refusal(server)
    assert failure.kind.name == kind
    assert error["message"] in failure.sentence
    assert failure.status == status


def test_transformers_serve_says_400_for_a_model_it_is_not_pinned_to() -> None:
    with ModelServer(json_reply({"detail": "Server is pinned to 'hf'; requested 'x'."}, status=400)) as server:
        assert refusal(server).kind.name == "no_such_model"


def test_trtllm_reports_inner_faults_as_400_with_a_text_and_is_not_retried() -> None:
    with ModelServer(json_reply({"error": "Requested tokens exceed KV cache"}, status=400)) as server:
        failure = refusal(server, preset="trtllm")
    assert (failure.kind.name, failure.kind.retry) == ("bad_request", "no")


def test_anthropic_without_a_wait_means_the_spending_limit() -> None:
    error = {"type": "error", "error": {"type": "rate_limit_error", "message": "limit"}}
    with ModelServer(json_reply(error, status=429)) as server:
        assert refusal(server, dialect="anthropic").kind.name == "money"
    with ModelServer(json_reply(error, status=429, headers={"retry-after": "20"})) as server:
        failure = refusal(server, dialect="anthropic")
    assert (failure.kind.name, failure.retry_after) == ("rate", 20.0)


def test_what_stops_a_system_is_the_key_the_model_the_address_the_money_and_our_own_fault() -> None:
    stops = {name for name, kind in KINDS.items() if kind.stops_system}
    assert stops == {
        "auth",
        "no_such_model",
        "money",
        "no_such_path",
        "not_an_api",
        "internal",
        "forbidden_address",
        "tls",
    }
    assert all(KINDS[name].retry == "no" for name in stops)


def test_a_redirect_is_not_followed_and_the_key_does_not_travel() -> None:
    with ModelServer() as elsewhere, ModelServer(redirect(f"{elsewhere.base_url}/chat/completions")) as server:
        failure = refusal(server)
    assert failure.kind.name == "not_an_api"
    assert "redirect" in failure.sentence
    assert elsewhere.requests == []


@pytest.mark.parametrize("status", [200, 404, 503])
def test_a_log_in_page_is_told_from_a_model_server(status: int) -> None:
    with ModelServer(login_page(status)) as server:
        failure = refusal(server)
    assert failure.kind.name == {200: "not_an_api", 404: "no_such_path", 503: "busy"}[status]
    assert "web page" in failure.sentence
    assert "<" not in failure.sentence


def test_a_gzip_bomb_is_not_unpacked() -> None:
    with ModelServer(gzip_bomb(20)) as server:
        failure = refusal(server)
    assert failure.kind.name == "not_an_api"
    assert "compress" in failure.sentence
    assert server.posts[0].headers["accept-encoding"] == "identity"


def test_an_answer_of_ten_megabytes_is_dropped() -> None:
    with ModelServer(huge_answer(10)) as server:
        assert refusal(server).kind.name == "too_big"
    with ModelServer(json_reply({"choices": [{"message": {"content": "x" * 10_000_000}}]})) as server:
        assert refusal(server).kind.name == "too_big"


def test_a_stream_that_says_next_to_nothing_for_ever_is_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "STREAM_CAP", 50_000)  # 64 MB, here for the sake of time
    padding = {"choices": [{"delta": {"content": ""}}], "padding": "x" * 1_000}
    with ModelServer(stream(*[padding] * 100)) as server:
        assert refusal(server).kind.name == "too_big"


def test_an_error_of_ten_megabytes_is_dropped() -> None:
    with ModelServer(error_reply(500, "x" * 10_000_000)) as server:
        assert refusal(server).kind.name == "too_big"


def test_an_empty_200_is_a_cut_answer() -> None:
    with ModelServer(Reply(headers={"content-type": "application/json"}, length=0)) as server:
        assert refusal(server).kind.name == "cut_off"


WAITS = [
    ({"retry-after": "20"}, 20.0),
    ({"retry-after": "1.5"}, 1.5),
    ({"retry-after": "Mon, 23 Nov 2026 12:00:34 GMT"}, 34.0),
    ({"retry-after": "Mon, 23 Nov 2026 11:00:00 GMT"}, 0.0),
    ({"retry-after-ms": "250", "retry-after": "9"}, 0.25),
    ({"retry-after": "soon"}, None),
    ({"retry-after": "-1"}, None),
    ({"retry-after": "nan"}, None),
    ({"retry-after": ""}, None),
    ({}, None),
    ({"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "6m0s"}, 360.0),
    ({"x-ratelimit-remaining-tokens": "0", "x-ratelimit-reset-tokens": "120ms"}, 0.12),
    ({"x-ratelimit-remaining-requests": "5", "x-ratelimit-reset-requests": "6m0s"}, None),
    ({"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "-1"}, None),
]


@pytest.mark.parametrize(("headers", "seconds"), WAITS)
def test_the_wait_is_read_in_every_spelling(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after(headers, None, NOW) == seconds


def test_geminis_retry_delay_is_read_from_the_details() -> None:
    details = [{"@type": "QuotaFailure"}, {"@type": "RetryInfo", "retryDelay": "34s"}]
    error = {"code": 429, "message": "quota", "status": "RESOURCE_EXHAUSTED", "details": details}
    with ModelServer(json_reply({"error": error}, status=429)) as server:
        failure = refusal(server, dialect="gemini")
    assert (failure.kind.name, failure.retry_after) == ("rate", 34.0)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 429, 500])
def test_a_key_that_the_server_says_back_is_in_no_sentence_and_no_record(status: int) -> None:
    said = f"Incorrect API key provided: {KEY}. Authorization: Bearer {KEY}"
    with ModelServer(error_reply(status, said)) as server:
        failure = refusal(server)
    assert server.posts[0].headers["authorization"] == f"Bearer {KEY}"
    for shown in (str(failure), repr(failure), failure.sentence, failure.raw):
        assert KEY not in shown
        assert "canary" not in shown


@pytest.mark.parametrize(
    "other", ["sk-proj-abcdef123456", "hf_abcdefgh12345678", "AIzaSyabcdefgh12345678", "Bearer zzz999"]
)
def test_what_looks_like_a_key_is_shown_nowhere_even_if_it_is_not_ours(other: str) -> None:
    with ModelServer(error_reply(401, f"Incorrect key {other} given")) as server:
        failure = refusal(server)
    assert other not in f"{failure.sentence}{failure.raw}"
    assert "given" in failure.sentence


@pytest.mark.parametrize("secret", ["k", "e", "none"])
def test_a_key_that_is_hardly_one_leaves_the_words_of_a_sentence_alone(secret: str) -> None:
    with ModelServer(error_reply(401, f"Nonetheless refused: {secret}")) as server:
        failure = refusal(server, secret=secret)
    assert "refused the key (401). Check the endpoint's secret" in failure.sentence
    assert failure.sentence.endswith('Nonetheless refused: [key]"')


def test_a_key_is_not_shown_in_part_where_the_servers_words_are_cut_short() -> None:
    secret = "0123456789-plain-canary"
    for said in (error_reply(400, "x" * 290 + secret), stream({"error": {"message": "x" * 290 + secret, "code": 400}})):
        with ModelServer(said) as server:
            failure = refusal(server, secret=secret)
        assert "0123" not in f"{failure.sentence}{failure.raw}"


def test_every_sentence_says_what_to_do() -> None:
    for status, error, _ in CLASSES:
        with ModelServer(json_reply({"error": error}, status=status)) as server:
            sentence = refusal(server).sentence
        assert sentence.count(". ") >= 1
        assert len(sentence) <= 1000
