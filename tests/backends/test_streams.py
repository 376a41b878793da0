"""What varies in streams, each habit of each server by name, over a real socket."""

from __future__ import annotations

import pytest

from backends.fetching import fetch
from backends.streams import Collector, Event, Fetched, visible_part
from tests.fakes.asking import KEY, a_chat, a_client, a_target, answer, ask, refusal
from tests.fakes.model_server import (
    Close,
    ModelServer,
    Reply,
    Reset,
    Wait,
    answers,
    chunk,
    comments_for_ever,
    drip,
    error_reply,
    event,
    json_reply,
    stream,
    usage,
)


def test_a_streamed_answer_is_put_together_and_counted() -> None:
    with ModelServer(answers("Paris is nice.")) as server:
        fetched = answer(server)
    assert (fetched.text, fetched.outcome, fetched.sentence) == ("Paris is nice.", "complete", "")
    assert (fetched.usage.input, fetched.usage.output, fetched.usage.estimated) == (10, 3, False)
    assert (fetched.model, fetched.fingerprint, fetched.request_id) == ("fake", "fake-1", "chatcmpl-1")


def test_without_a_finish_reason_it_did_not_happen() -> None:
    with ModelServer(stream(chunk("Par"), chunk("is"))) as server:
        attempt, failure = ask(server)
    assert attempt.failure_kind == "cut_off"
    assert failure.kind.retry == "backoff"  # type: ignore[union-attr]  # the line above says it failed
    assert "without a finish reason" in attempt.sentence
    assert "[DONE]" in attempt.raw_tail


def test_a_done_after_a_cut_answer_proves_nothing() -> None:
    with ModelServer(stream(chunk("Par"), done=True)) as server:
        assert refusal(server).kind.name == "cut_off"


def test_a_missing_done_is_no_failure() -> None:
    with ModelServer(stream(chunk("Paris"), chunk(finish="stop"), done=False)) as server:
        assert answer(server).outcome == "complete"


def test_an_error_event_under_http_200_is_a_failure_even_with_done() -> None:
    error = {"error": {"message": "EngineCore encountered an issue.", "type": "InternalServerError", "code": 500}}
    with ModelServer(stream(chunk("Par"), error, done=True)) as server:
        failure = refusal(server)
    assert failure.kind.name == "cut_off"
    assert "EngineCore encountered an issue." in failure.sentence


def test_an_error_event_before_any_text_is_classed_by_its_own_code() -> None:
    with ModelServer(stream({"error": {"message": "input too long", "http_status_code": 422}})) as server:
        assert refusal(server).kind.name == "bad_request"
    with ModelServer(stream({"error": {"message": "queue full", "code": 503}})) as server:
        assert refusal(server).kind.name == "busy"


def test_an_error_beside_choices_with_finish_error_is_a_failure() -> None:
    """OpenRouter says it in a normal chunk."""
    broken = {**chunk("Par", finish="error"), "error": {"message": "upstream died", "code": 502}}
    with ModelServer(stream(chunk("Pa"), broken)) as server:
        assert refusal(server).kind.name == "cut_off"


def test_a_flat_error_object_under_200_is_a_failure() -> None:
    with ModelServer(stream({"object": "error", "message": "no room", "code": 503})) as server:
        assert refusal(server).kind.name == "busy"


def test_an_error_in_a_whole_200_body_is_a_failure() -> None:
    with ModelServer(json_reply({"error": {"message": "Provider returned error", "code": 502}})) as server:
        assert refusal(server).kind.name == "busy"


def test_a_finish_reason_abort_or_error_is_no_finish() -> None:
    for reason in ("abort", "error", "insufficient_system_resource"):
        with ModelServer(stream(chunk("Par"), chunk(finish=reason))) as server:
            failure = refusal(server)
        assert failure.kind.name == "cut_off"
        assert reason in failure.sentence


def test_a_reset_in_the_middle_is_a_cut_answer() -> None:
    with ModelServer(Reply([event(chunk("Par")), Reset()])) as server:
        assert refusal(server).kind.name == "cut_off"


def test_a_connection_that_ends_uncleanly_after_the_finish_does_not_count() -> None:
    with ModelServer(Reply([event(chunk("Paris", finish="stop")), Close()])) as server:
        assert refusal(server).kind.name == "cut_off"


NO_TOKENS = [{"role": "assistant", "content": ""}, {"role": "assistant", "content": None}, {"role": "assistant"}, {}]


@pytest.mark.parametrize("delta", NO_TOKENS)
def test_a_role_only_or_null_first_chunk_is_no_token(delta: dict[str, object]) -> None:
    first = chunk(choices=[{"index": 0, "delta": delta, "finish_reason": None}])
    with ModelServer(stream(first, Wait(0.15), chunk("Paris"), chunk(finish="stop"))) as server:
        fetched = answer(server)
    assert fetched.ttft_ms is not None
    assert fetched.ttft_ms - fetched.headers_ms >= 50


def test_an_empty_event_is_no_token_whichever_adapter_makes_it() -> None:
    collector = Collector()
    collector.take(Event("reasoning", 1.0, {}, ""))
    collector.take(Event("text", 2.0, {}, ""))
    assert not collector.began()
    assert collector.first_token() is None


def test_a_role_together_with_text_is_a_token() -> None:
    with ModelServer(stream(chunk("Paris", role="assistant"), Wait(0.1), chunk(finish="stop"))) as server:
        fetched = answer(server)
    assert fetched.text == "Paris"
    assert fetched.ttft_ms is not None
    assert fetched.latency_ms - fetched.ttft_ms >= 50


@pytest.mark.parametrize("name", ["reasoning", "reasoning_content"])
def test_reasoning_is_read_under_both_names_and_kept_apart(name: str) -> None:
    thought = chunk(**{name: "Hm. "})  # type: ignore[arg-type]  # a field of the delta
    with ModelServer(stream(thought, Wait(0.1), chunk("Paris"), chunk(finish="stop"))) as server:
        fetched = answer(server)
    assert (fetched.text, fetched.reasoning) == ("Paris", "Hm. ")
    assert fetched.ttft_ms is not None
    assert fetched.first_visible_ms is not None
    assert fetched.first_visible_ms - fetched.ttft_ms >= 50


@pytest.mark.parametrize("finish", ["stop", "length"])
def test_reasoning_only_is_empty_whatever_the_finish(finish: str) -> None:
    with ModelServer(
        stream(chunk(reasoning="Hm."), chunk(finish=finish), chunk(choices=[], usage=usage(reasoning=5)))
    ) as server:
        fetched = answer(server)
    assert fetched.outcome == "empty"
    assert fetched.sentence == "No visible answer (5 reasoning tokens). Raise max_tokens or switch thinking off."
    assert fetched.first_visible_ms is None


def test_thinking_left_in_the_text_is_not_the_visible_answer() -> None:
    assert visible_part("<think>Hm.</think>\nParis") == "\nParis"
    assert visible_part("Hm.</think>Paris") == "Paris"
    assert visible_part("<think>Hm. And") == ""
    assert visible_part("Use <think> tags</think>?") == "Use <think> tags</think>?"
    thinking = stream(chunk("<think>Hm."), chunk("</think>\n\n"), Wait(0.1), chunk("Paris"), chunk(finish="stop"))
    with ModelServer(thinking) as server:
        fetched = answer(server)
    assert fetched.text == "<think>Hm.</think>\n\nParis"
    assert fetched.ttft_ms is not None
    assert fetched.first_visible_ms is not None
    assert fetched.first_visible_ms - fetched.ttft_ms >= 50
    with ModelServer(stream(chunk("<think>Hm."), chunk(finish="length"))) as server:
        assert answer(server).outcome == "empty"


def test_white_space_only_is_empty() -> None:
    with ModelServer(stream(chunk(" \n"), chunk(finish="stop"))) as server:
        assert answer(server).outcome == "empty"


USAGES = {
    "in a chunk of its own with no choices": [chunk("Paris"), chunk(finish="stop"), chunk(choices=[], usage=usage())],
    "in the finish chunk": [chunk("Paris"), chunk(finish="stop", usage=usage())],
    "beside a choice with an empty delta": [chunk("Paris"), chunk(finish="stop"), chunk(usage=usage())],
    "in every chunk, the last counting": [
        chunk("Par", usage=usage(completion=1)),
        chunk("is", usage=usage(completion=2)),
        chunk(finish="stop", usage=usage()),
    ],
}


@pytest.mark.parametrize("place", USAGES)
def test_usage_is_found_wherever_it_is(place: str) -> None:
    with ModelServer(stream(*USAGES[place])) as server:
        counted = answer(server).usage
    assert (counted.input, counted.output, counted.estimated) == (10, 5, False)


def test_usage_that_never_comes_is_estimated_and_marked() -> None:
    with ModelServer(stream(chunk("x" * 40), chunk(finish="stop"))) as server:
        counted = answer(server, prompt="y" * 80).usage
    assert (counted.input, counted.output, counted.estimated) == (20, 10, True)


def test_cached_tokens_are_part_of_the_input() -> None:
    with ModelServer(stream(chunk("P"), chunk(finish="stop", usage=usage(3000, 5, cached=2944)))) as server:
        counted = answer(server).usage
    assert (counted.input, counted.cached) == (3000, 2944)


@pytest.mark.parametrize("place", ["first", "middle"])
def test_empty_choices_are_guarded_against(place: str) -> None:
    empty = chunk(choices=[])
    chunks = [empty, chunk("Par"), chunk("is")] if place == "first" else [chunk("Par"), empty, chunk("is")]
    with ModelServer(stream(*chunks, chunk(finish="stop"))) as server:
        assert answer(server).text == "Paris"


def test_comments_for_ever_end_at_the_deadline() -> None:
    with ModelServer(comments_for_ever()) as server:
        failure = refusal(server, total=0.3)
    assert failure.kind.name == "too_slow"
    assert failure.kind.retry == "once"


def test_a_drip_of_header_bytes_ends_at_the_deadline() -> None:
    with ModelServer(drip()) as server:
        assert refusal(server, total=0.3).kind.name == "too_slow"


def test_comments_and_pings_between_tokens_are_no_tokens() -> None:
    ping = event({"type": "ping"}, name="ping")
    said = stream(b": OPENROUTER PROCESSING\n\n", b":\n\n", ping, chunk("Paris"), chunk(finish="stop"))
    with ModelServer(said) as server:
        assert answer(server).text == "Paris"


def test_unusual_line_separators_inside_json_do_not_break_it() -> None:
    text = "one\u2028two\u2029three\u0085four\x0bfive\x0csix"
    with ModelServer(stream(chunk(text), chunk(finish="stop"))) as server:
        assert answer(server).text == text


def test_crlf_between_events_is_understood() -> None:
    crlf = stream(*(event(c).replace(b"\n", b"\r\n") for c in (chunk("Par"), chunk("is"), chunk(finish="stop"))))
    with ModelServer(crlf) as server:
        assert answer(server).text == "Paris"


def test_a_crlf_torn_between_two_packets_is_understood() -> None:
    data = event(chunk("Paris")).replace(b"\n", b"\r\n")
    torn = stream(data[:-3], Wait(0.02), data[-3:-2], Wait(0.02), data[-2:], chunk(finish="stop"))
    with ModelServer(torn) as server:
        assert answer(server).text == "Paris"


def test_trailing_blanks_after_the_json_are_allowed() -> None:
    padded = event(chunk("Paris")).replace(b"\n\n", b"  \n\n\n")
    with ModelServer(stream(padded, chunk(finish="stop"))) as server:
        assert answer(server).text == "Paris"


def test_a_letter_torn_between_two_packets_is_put_together() -> None:
    data = event(chunk("Zürich"))
    cut = data.index("ü".encode()) + 1
    with ModelServer(stream(data[:cut], Wait(0.02), data[cut:], chunk(finish="stop"))) as server:
        assert answer(server).text == "Zürich"


def test_an_emoji_escaped_in_two_halves_is_put_together_and_a_lone_half_is_replaced() -> None:
    halves = [b'data: {"choices":[{"delta":{"content":"%s"}}]}\n\n' % h for h in (b"\\ud83d", b"\\ude00", b"\\ud83d")]
    with ModelServer(stream(*halves, chunk("\x00"), chunk(finish="stop"))) as server:
        assert answer(server).text == "\U0001f600\ufffd\ufffd"


def test_something_that_is_not_json_in_a_stream_is_dropped_and_asked_again() -> None:
    for junk in (b"data: {half\n\n", b"data: " + b"[" * 100_000 + b"\n\n", b"data: <html>\n\n"):
        with ModelServer(stream(chunk("Par"), junk)) as server:
            failure = refusal(server)
        assert failure.kind.name == "cut_off"
        assert "not JSON" in failure.sentence


@pytest.mark.parametrize(
    "odd",
    [
        {"choices": None},
        {"choices": "text"},
        {"choices": [None]},
        {"choices": [{"delta": None}]},
        {"choices": [{"delta": {"content": 5}}]},
        {"choices": [{"delta": "text"}]},
        {"usage": "much", "choices": []},
        {"usage": {"prompt_tokens": None, "completion_tokens": "7"}, "choices": []},
    ],
)
def test_wrong_types_in_a_chunk_are_passed_over(odd: dict[str, object]) -> None:
    with ModelServer(stream(odd, chunk("Paris"), chunk(finish="stop"))) as server:
        assert answer(server).text == "Paris"


def test_a_truncated_answer_is_done_and_says_so() -> None:
    with ModelServer(answers("Paris is", finish="length")) as server:
        fetched = answer(server)
    assert fetched.outcome == "truncated"
    assert "Raise max_tokens" in fetched.sentence


def test_a_filtered_answer_is_refused() -> None:
    with ModelServer(answers("", finish="content_filter")) as server:
        assert answer(server).outcome == "refused"


def test_a_refusal_said_in_its_own_field_is_refused_although_it_stops() -> None:
    with ModelServer(stream(chunk(refusal="I can't help."), chunk(finish="stop"))) as server:
        fetched = answer(server)
    assert (fetched.outcome, fetched.text) == ("refused", "I can't help.")


def test_a_call_of_a_tool_is_no_answer() -> None:
    with ModelServer(stream(chunk(tool_calls=[{"index": 0}]), chunk(finish="tool_calls"))) as server:
        failure = refusal(server)
    assert failure.kind.name == "unusable"
    assert failure.kind.retry == "no"


def test_a_second_choice_is_not_mixed_in() -> None:
    two = chunk(choices=[{"index": 0, "delta": {"content": "Paris"}}, {"index": 1, "delta": {"content": "Rome"}}])
    with ModelServer(stream(two, chunk(finish="stop"))) as server:
        assert answer(server).text == "Paris"


def test_an_answer_in_parts_is_understood() -> None:
    parts = [{"type": "thinking", "thinking": [{"type": "text", "text": "Hm."}]}, {"type": "text", "text": "Paris"}]
    with ModelServer(stream(chunk(content=parts), chunk(finish="stop"))) as server:  # type: ignore[arg-type]
        fetched = answer(server)
    assert (fetched.text, fetched.reasoning) == ("Paris", "Hm.")


def test_a_whole_body_where_a_stream_was_asked_for_has_no_time_to_first_token() -> None:
    body = {
        "model": "fake",
        "choices": [{"index": 0, "message": {"content": "Paris"}, "finish_reason": "stop"}],
        "usage": usage(),
    }
    with ModelServer(json_reply(body)) as server:
        fetched = answer(server)
    assert (fetched.text, fetched.ttft_ms, fetched.first_visible_ms) == ("Paris", None, None)
    assert fetched.latency_ms > 0


def test_blank_lines_before_a_whole_body_are_allowed() -> None:
    """DeepSeek keeps a waiting connection alive with them."""
    body = b'\n\n\n{"choices":[{"message":{"content":"Paris"},"finish_reason":"stop"}]}'
    with ModelServer(json_reply(body)) as server:
        assert answer(server).text == "Paris"


def test_time_to_headers_is_not_time_to_first_token() -> None:
    with ModelServer(answers("Paris", ttft=1.5)) as server:
        fetched = answer(server)
    assert fetched.ttft_ms is not None
    assert fetched.headers_ms + 50 <= fetched.ttft_ms <= fetched.latency_ms


def test_the_connect_time_is_shown_apart_and_only_on_a_new_connection() -> None:
    with ModelServer(answers("Paris")) as server, a_client() as client:
        target = a_target(server.base_url)
        first, _ = fetch(client, target, a_chat())
        second, _ = fetch(client, target, a_chat())
    assert server.connections == 1
    assert first.offsets.connected is not None
    assert second.offsets.connected is None


def test_what_was_sent_is_recorded_and_what_was_not_is_missing() -> None:
    with ModelServer() as server:
        attempt, _ = ask(server, prompt="secret words", parameters={"max_tokens": 5})
    assert attempt.sent == {
        "model": "fake",
        "max_tokens": 5,
        "stream": True,
        "stream_options": {"include_usage": True},
    }


def test_rate_headers_and_the_servers_request_id_are_kept() -> None:
    headers = {"x-ratelimit-remaining-requests": "7", "x-request-id": "req-9", "set-cookie": "a=b"}
    with ModelServer(stream(chunk("Paris"), chunk(finish="stop"), headers=headers)) as server:
        attempt, fetched = ask(server)
    assert attempt.told == {"x-ratelimit-remaining-requests": "7", "x-request-id": "req-9"}
    assert isinstance(fetched, Fetched)
    assert fetched.request_id == "req-9"


def test_rate_headers_of_a_refusal_are_kept_without_the_key() -> None:
    headers = {"anthropic-ratelimit-requests-reset": "2026-11-01T00:00:00Z", "retry-after": "7", "x-litellm-key": KEY}
    with ModelServer(error_reply(429, headers=headers)) as server:
        attempt, _ = ask(server)
    assert attempt.told == headers | {"x-litellm-key": "[key]"}
