"""What is sent: each server's own wishes about fields, by name, as the server receives them."""

from __future__ import annotations

from typing import Any

import pytest

from backends.adapters import ADAPTERS, adapter_for, is_recorded
from backends.adapters.contract import Target, join
from backends.hosts import BadAddress
from backends.parameters import problems
from backends.presets import PRESETS, UnknownPreset, profile_for
from tests.fakes.asking import KEY, a_chat, a_target, answer
from tests.fakes.model_server import ModelServer

SELF_HOSTED = ["vllm", "sglang", "trtllm", "llamacpp", "tgi", "lmstudio", "transformers", "ollama"]


def sent(preset: str = "", **more: Any) -> dict[str, Any]:
    target = a_target("http://127.0.0.1:8000/v1", preset=preset)
    chat = a_chat(**more)
    return dict(adapter_for(target, chat).request(target, chat).body or {})


@pytest.mark.parametrize("preset", SELF_HOSTED)
def test_servers_of_ones_own_get_max_tokens_and_never_both_names(preset: str) -> None:
    body = sent(preset, parameters={"max_tokens": 5})
    assert body["max_tokens"] == 5
    assert "max_completion_tokens" not in body
    assert "max_tokens" in sent(preset, parameters={"max_completion_tokens": 5})


@pytest.mark.parametrize("preset", ["openai", "azure"])
def test_openai_and_azure_get_max_completion_tokens_and_never_both_names(preset: str) -> None:
    body = sent(preset, parameters={"max_tokens": 5})
    assert body["max_completion_tokens"] == 5
    assert "max_tokens" not in body


@pytest.mark.parametrize("preset", [*SELF_HOSTED, "openai", "mistral", "deepseek"])
def test_a_stop_text_is_always_sent_as_a_list(preset: str) -> None:
    assert sent(preset, parameters={"stop": "END"})["stop"] == ["END"]
    assert sent(preset, parameters={"stop": ["A", "B"]})["stop"] == ["A", "B"]


def test_a_top_p_of_one_is_not_sent_to_tgi() -> None:
    assert "top_p" not in sent("tgi", parameters={"top_p": 1.0})
    assert sent("tgi", parameters={"top_p": 0.9})["top_p"] == 0.9
    assert sent("vllm", parameters={"top_p": 1.0})["top_p"] == 1.0


def test_a_parameter_that_is_not_set_is_not_sent() -> None:
    assert set(sent("vllm")) == {"model", "messages", "stream", "stream_options"}
    assert "temperature" not in sent("vllm", parameters={"temperature": None})
    assert sent("vllm", parameters={"temperature": 0})["temperature"] == 0


def test_sampling_can_be_switched_off_or_filled() -> None:
    sampled = {"temperature": 0.3, "top_k": 5, "seed": 1}
    assert set(sampled) & set(sent("vllm", parameters={**sampled, "send_sampling": "none"})) == {"seed"}
    filled = sent("vllm", parameters={"temperature": 0.3, "send_sampling": "all"})
    assert (filled["temperature"], filled["top_p"]) == (0.3, 1.0)
    assert "send_sampling" not in filled


def test_extra_fields_pass_as_they_are_and_extra_body_wins() -> None:
    parameters = {
        "chat_template_kwargs": {"enable_thinking": False},
        "reasoning_effort": "low",
        "extra_body": {"reasoning_effort": "high", "lora": [{"id": 0, "scale": 1.0}], "cache_salt": "x"},
    }
    body = sent("llamacpp", parameters=parameters)
    assert body["chat_template_kwargs"] == {"enable_thinking": False}
    assert (body["reasoning_effort"], body["cache_salt"]) == ("high", "x")
    assert body["lora"] == [{"id": 0, "scale": 1.0}]
    assert "extra_body" not in body


def test_usage_is_asked_for_in_the_stream_unless_switched_off() -> None:
    assert sent("vllm")["stream_options"] == {"include_usage": True}
    assert "stream_options" not in sent("mistral")
    assert "stream_options" not in sent("vllm", parameters={"stream_usage": False})


def test_the_systems_prompt_and_the_inputs_become_one_system_message() -> None:
    messages = [{"role": "system", "content": "Of the input."}, {"role": "user", "content": "Hi"}]
    body = sent("vllm", system_prompt="Of the system.", messages=messages)
    assert body["messages"] == [
        {"role": "system", "content": "Of the system.\n\nOf the input."},
        {"role": "user", "content": "Hi"},
    ]


KEYS = [
    ("", "openai", "authorization", f"Bearer {KEY}"),
    ("azure", "openai", "api-key", KEY),
    ("", "anthropic", "x-api-key", KEY),
    ("", "gemini", "x-goog-api-key", KEY),
    ("vllm", "anthropic", "authorization", f"Bearer {KEY}"),
    ("vllm", "anthropic", "x-api-key", KEY),
]


@pytest.mark.parametrize(("preset", "dialect", "header", "value"), KEYS)
def test_the_key_is_sent_as_the_server_wants_it(preset: str, dialect: str, header: str, value: str) -> None:
    target, chat = a_target("http://127.0.0.1:1/v1", preset=preset, dialect=dialect), a_chat()
    assert adapter_for(target, chat).request(target, chat).headers[header] == value


def test_without_a_key_no_key_header_is_sent_and_own_headers_win() -> None:
    target = a_target("http://127.0.0.1:1/v1", secret="", headers={"Authorization": "Basic x", "X-Team": "a"})
    chat = a_chat()
    assert adapter_for(target, chat).request(target, chat).headers == {"authorization": "Basic x", "x-team": "a"}


URLS = [
    ("http://127.0.0.1:8000/v1", "http://127.0.0.1:8000/v1/chat/completions"),
    ("http://127.0.0.1:8000/v1/", "http://127.0.0.1:8000/v1/chat/completions"),
    ("http://127.0.0.1:8000", "http://127.0.0.1:8000/v1/chat/completions"),
    ("http://127.0.0.1:8000/v1/chat/completions", "http://127.0.0.1:8000/v1/chat/completions"),
    ("https://x.example/proxy/api/v3", "https://x.example/proxy/api/v3/chat/completions"),
]


@pytest.mark.parametrize(("base", "url"), URLS)
def test_the_address_is_put_together_however_it_was_typed(base: str, url: str) -> None:
    assert join(base, "/v1", "/chat/completions") == url


def test_azure_without_a_path_gets_its_own_prefix() -> None:
    target, chat = a_target("https://me.openai.azure.com", preset="azure"), a_chat()
    url = adapter_for(target, chat).request(target, chat).url
    assert url == "https://me.openai.azure.com/openai/v1/chat/completions"


def test_the_makers_of_apis_need_no_address() -> None:
    assert Target.of(dialect="anthropic").base_url == "https://api.anthropic.com/v1"
    assert Target.of(dialect="openai").profile.name == "openai"
    assert Target.of(dialect="openai", preset="deepseek").base_url == "https://api.deepseek.com/v1"
    with pytest.raises(BadAddress, match="vLLM runs at an address of its own"):
        Target.of(dialect="openai", preset="vllm")


def test_a_preset_is_guessed_from_the_makers_host_and_else_is_generic() -> None:
    assert profile_for(dialect="openai", base_url="https://api.openai.com/v1").name == "openai"
    assert profile_for(dialect="openai", base_url="http://127.0.0.1:8000/v1").name == "generic"


def test_every_preset_named_in_the_documentation_exists() -> None:
    named = (
        "vllm sglang trtllm llamacpp ollama tgi lmstudio transformers openai azure openrouter mistral deepseek together"
    )
    assert set(named.split()) <= set(PRESETS)


def test_an_unknown_preset_or_dialect_is_named_with_those_that_exist() -> None:
    with pytest.raises(UnknownPreset, match="vllm"):
        profile_for(dialect="openai", preset="vlm")
    with pytest.raises(UnknownPreset, match="anthropic"):
        profile_for(dialect="claude")
    with pytest.raises(UnknownPreset, match="speaks 'openai'"):
        profile_for(dialect="gemini", preset="deepseek")


def test_recorded_answers_are_in_the_registry_and_are_never_called() -> None:
    assert is_recorded("recorded")
    assert not any(is_recorded(dialect) for dialect in ADAPTERS if dialect != "recorded")
    target = Target.of(dialect="recorded")
    with pytest.raises(LookupError):
        adapter_for(target, a_chat())


def test_a_client_asks_for_no_compression_and_says_little_about_itself() -> None:
    with ModelServer() as server:
        answer(server)
    assert set(server.posts[0].headers) == {
        "host",
        "accept",
        "accept-encoding",
        "authorization",
        "connection",
        "content-length",
        "content-type",
        "user-agent",
    }


@pytest.mark.parametrize("preset", ["vllm", "sglang", "trtllm"])
def test_the_prefix_cache_is_left_out_by_a_salt_that_no_other_request_has(preset: str) -> None:
    with ModelServer() as server:
        for wanted in (True, True, False):
            answer(server, preset=preset, parameters={"avoid_cache": wanted})
    one, two, without = server.bodies
    assert one["cache_salt"]
    assert one["cache_salt"] != two["cache_salt"]
    assert "cache_salt" not in without
    assert all("avoid_cache" not in body for body in server.bodies)


def test_llama_server_leaves_its_prompt_cache_out_where_that_is_wanted() -> None:
    with ModelServer() as server:
        answer(server, preset="llamacpp", parameters={"avoid_cache": True})
        answer(server, preset="llamacpp")
    assert server.bodies[0]["cache_prompt"] is False
    assert "cache_prompt" not in server.bodies[1]


def test_what_an_owner_says_of_the_cache_himself_counts() -> None:
    with ModelServer() as server:
        answer(server, preset="vllm", parameters={"avoid_cache": True, "cache_salt": "mine"})
    assert server.bodies[0]["cache_salt"] == "mine"


BAD_PARAMETERS = [
    ("vllm", {"temperature": -3}, "temperature must be a number from 0 to 2, not -3"),
    ("vllm", {"temperature": "hot"}, "temperature"),
    ("vllm", {"temperature": True}, "temperature"),
    ("vllm", {"top_p": 1.1}, "top_p"),
    ("vllm", {"max_tokens": 0}, "max_tokens must be at least 1"),
    ("vllm", {"max_tokens": 5.5}, "max_tokens must be a whole number"),
    ("vllm", {"max_tokens": 5, "max_completion_tokens": 5}, "keep one"),
    ("vllm", {"stop": 5}, "stop must be"),
    ("vllm", {"stop": [""]}, "stop must be"),
    ("tgi", {"stop": list("abcde")}, "at most 4"),
    ("vllm", {"num_ctx": 4096}, "Ollama only"),
    ("vllm", {"model": "x"}, "set by Blindpair itself"),
    ("vllm", {"extra_body": "x"}, "extra_body must be a table"),
    ("vllm", {"limit_field": "x"}, "limit_field must be one of"),
    ("vllm", {"avoid_cache": "yes"}, "avoid_cache must be one of"),
    (
        "openai",
        {"avoid_cache": True},
        "possible with vLLM, SGLang, TensorRT-LLM, llama.cpp server only, not with OpenAI",
    ),
]


@pytest.mark.parametrize(("preset", "parameters", "words"), BAD_PARAMETERS)
def test_a_parameter_that_makes_no_sense_is_named_before_anything_is_sent(
    preset: str, parameters: dict[str, Any], words: str
) -> None:
    found = problems(PRESETS[preset], parameters)
    assert len(found) == 1
    assert words in found[0]


def test_good_parameters_have_no_problems() -> None:
    good = {"temperature": 0, "max_tokens": 512, "seed": -1, "stop": "x", "top_k": -1, "extra_body": {"a": 1}}
    assert problems(PRESETS["vllm"], good) == []
    assert problems(PRESETS["ollama"], {"num_ctx": 8192}) == []
