"""What is found out before anyone rates: whether a system is what its label says, and whether two differ."""

from __future__ import annotations

import json
from typing import Any

import pytest

from backends.preflight import PROBES, Preflight, changes, compare, preflight
from tests.fakes.asking import KEY, a_client, a_target
from tests.fakes.model_server import (
    Asked,
    ModelServer,
    Reply,
    answers,
    chunk,
    echoes,
    error_reply,
    json_reply,
    models,
    stream,
    text_reply,
)

VLLM_MODELS = {
    "data": [
        {"id": "tiny", "owned_by": "vllm", "root": "hf", "parent": None, "max_model_len": 1024},
        {"id": "tiny-lora", "owned_by": "vllm", "root": "lora", "parent": "tiny", "max_model_len": None},
    ]
}


def look(
    server: ModelServer, model: str = "fake", *, preset: str = "", dialect: str = "openai", **more: Any
) -> Preflight:
    with a_client() as client:
        return preflight(client, a_target(server.base_url, preset=preset, dialect=dialect), model=model, **more)


def a_preflight(**more: Any) -> Preflight:
    return Preflight(**{"server": "vllm", "host": "a:1", "model": "m", "probes": ("1", "2", "3"), **more})


def names_itself(asked: Asked) -> Reply:
    return answers(f"{asked.body['model']}: {asked.prompt}", model=asked.body["model"])


def test_a_vllm_adapter_is_seen_with_its_base_its_version_and_its_context() -> None:
    gets = {"/v1/models": VLLM_MODELS, "/version": {"version": "0.32.0"}}
    with ModelServer(names_itself, gets=gets) as server:
        found = look(server, "tiny-lora", preset="vllm", parameters={"temperature": 0})
    assert (found.listed, found.parent, found.version, found.context_length) == (True, "tiny", "0.32.0", 1024)
    assert (found.echoed, found.fingerprint) == ("tiny-lora", "fake-1")
    assert len(set(found.probes)) == 3
    assert found.warnings == ()


def test_a_generic_server_is_recognised_by_what_its_models_say() -> None:
    with ModelServer(names_itself, gets={"/v1/models": VLLM_MODELS, "/version": {"version": "9"}}) as server:
        found = look(server, "tiny")
    assert (found.server, found.version) == ("vllm", "9")


def test_the_probes_are_greedy_and_without_the_systems_own_prompt_and_sampling() -> None:
    parameters = {"temperature": 0.9, "top_p": 0.5, "stop": "x", "max_tokens": 4000, "lora": [{"id": 0}]}
    with ModelServer(echoes) as server:
        look(server, system_prompt="Be rude.", parameters=parameters)
    assert [asked.prompt for asked in server.posts] == list(PROBES)
    assert set(server.bodies[0]) == {
        "model",
        "messages",
        "temperature",
        "max_tokens",
        "lora",
        "stream",
        "stream_options",
    }
    assert (server.bodies[0]["temperature"], server.bodies[0]["lora"]) == (0, [{"id": 0}])
    assert server.bodies[0]["max_tokens"] < 100
    assert [message["role"] for message in server.bodies[0]["messages"]] == ["user"]


def test_a_model_that_refuses_a_temperature_is_probed_without_one() -> None:
    def script(asked: Asked) -> Reply:
        if "temperature" in asked.body:
            return error_reply(400, "Unsupported value: 'temperature' does not support 0 with this model.")
        return echoes(asked)

    with ModelServer(script) as server:
        found = look(server)
    assert found.failure_kind == ""
    assert all(found.probes)


def test_two_systems_that_answer_alike_get_a_red_banner() -> None:
    with ModelServer(echoes, gets={"/v1/models": VLLM_MODELS}) as server:
        base = look(server, "tiny", preset="vllm", parameters={"temperature": 0})
        adapter = look(server, "tiny-lora", preset="vllm", parameters={"temperature": 0})
    worst = compare({"base": base, "tuned": adapter})[0]
    assert (worst.level, worst.systems) == ("red", ("base", "tuned"))
    assert "the LoRA adapter seems not to be applied" in worst.sentence
    assert "vLLM accepts an adapter" in worst.sentence


def test_two_systems_that_differ_in_one_probe_get_none() -> None:
    assert compare({"a": a_preflight(), "b": a_preflight(model="n", probes=("1", "2", "4"))}) == []


def test_probes_that_failed_or_were_empty_prove_nothing() -> None:
    assert compare({"a": a_preflight(probes=("", "")), "b": a_preflight(model="n", probes=("", ""))}) == []


def test_the_same_model_twice_is_no_scandal() -> None:
    findings = compare({"a": a_preflight(), "b": a_preflight()})
    assert [finding.level for finding in findings] == ["amber"]
    assert "same model" in findings[0].sentence


@pytest.mark.parametrize(
    ("preset", "tuned", "base"),
    [
        ("llamacpp", {"lora": [{"id": 0, "scale": 1.0}]}, {"lora": [{"id": 0, "scale": 0.0}]}),
        ("trtllm", {"lora_request": {"lora_name": "support", "lora_int_id": 1}}, {}),
        ("sglang", {"extra_body": {"lora_path": "support"}}, {}),
    ],
)
def test_an_adapter_chosen_by_the_request_that_changes_nothing_is_red(
    preset: str, tuned: dict[str, Any], base: dict[str, Any]
) -> None:
    with ModelServer(echoes) as server:
        found = compare(
            {
                "tuned": look(server, preset=preset, parameters={"temperature": 0, **tuned}),
                "base": look(server, preset=preset, parameters={"temperature": 0, **base}),
            }
        )
    assert found[0].level == "red"
    assert "the LoRA adapter seems not to be applied" in found[0].sentence


def test_the_same_answers_from_two_hosts_are_red_too() -> None:
    (finding,) = compare({"a": a_preflight(), "b": a_preflight(host="b:1", model="n", server="openai")})
    assert finding.level == "red"
    assert "they seem to be the same model" in finding.sentence


def test_sglang_is_asked_for_base_and_adapter() -> None:
    listing = {"data": [{"id": "qwen", "owned_by": "sglang"}, {"id": "support", "parent": "qwen"}]}
    info = {
        "version": "0.5.23",
        "quantization": "awq",
        "lora_paths": [{"lora_name": "support"}],
        "context_length": 32768,
    }
    with ModelServer(echoes, gets={"/v1/models": listing, "/server_info": info}) as server:
        bare = look(server, "support", preset="sglang", parameters={"temperature": 0})
        right = look(server, "qwen:support", preset="sglang", parameters={"temperature": 0})
    assert any("Write the model as qwen:support." in warning for warning in bare.warnings)
    assert (right.quantisation, right.version, right.context_length) == ("awq", "0.5.23", 32768)
    assert (right.listed, right.parent) == (True, "qwen")
    assert not any("bare name" in warning for warning in right.warnings)


def test_llama_server_tells_its_quantisation_its_slot_and_an_adapter_of_scale_0() -> None:
    gets = {
        "/v1/models": {"data": [{"id": "tiny", "owned_by": "llamacpp", "meta": {"n_ctx": 4096, "ftype": "Q4_0"}}]},
        "/props": {
            "build_info": "b1-0c1e570",
            "model_ftype": "Q4_0",
            "default_generation_settings": {"n_ctx": 1024},
        },
        "/lora-adapters": [{"id": 0, "path": "lora-shout.gguf", "scale": 0.0}],
    }
    with ModelServer(echoes, gets=gets) as server:
        found = look(server, "tiny", preset="llamacpp", parameters={"temperature": 0})
        chosen = look(server, "tiny", preset="llamacpp", parameters={"temperature": 0, "lora": [{"id": 0, "scale": 1}]})
    assert (found.quantisation, found.context_length, found.version) == ("Q4_0", 1024, "b1-0c1e570")
    assert any("scale 0" in warning for warning in found.warnings)
    assert not any("scale 0" in warning for warning in chosen.warnings)


def test_a_server_that_answers_any_name_is_found_out() -> None:
    with ModelServer(answers("Hi", model="tiny"), gets={"/v1/models": models("tiny")}) as server:
        found = look(server, "no-such", preset="llamacpp", parameters={"temperature": 0})
    assert found.listed is False
    assert any("does not list 'no-such' (it lists tiny), yet it answers" in warning for warning in found.warnings)
    assert any("the server says that 'tiny' answered" in warning for warning in found.warnings)


@pytest.mark.parametrize("echoed", ["gpt-x-2026-01-01", "hf@main", "gpt-x:latest", "org/gpt-x", "GPT-X"])
def test_a_dated_or_pinned_name_is_the_same_model(echoed: str) -> None:
    asked = "hf" if echoed.startswith("hf") else "gpt-x"
    with ModelServer(answers("Hi", model=echoed), gets={"/v1/models": models(asked)}) as server:
        assert look(server, asked).warnings == ()


def test_an_input_longer_than_the_context_is_told_before_it_fails() -> None:
    with ModelServer(echoes, gets={"/v1/models": models("fake", max_model_len=1024)}) as server:
        found = look(server, longest_input=2_400, parameters={"max_tokens": 512})
    assert any("may need 1312 tokens, the server has a context of 1024" in warning for warning in found.warnings)


def test_an_unsent_temperature_is_told_where_the_checkpoint_decides() -> None:
    with ModelServer(echoes) as server:
        assert any("No temperature is sent" in warning for warning in look(server, preset="vllm").warnings)
        assert look(server, preset="vllm", parameters={"temperature": 0}).warnings == ()


def test_a_server_that_lists_nothing_is_no_warning() -> None:
    """transformers serve answers its list of models with 500."""
    with ModelServer(echoes, gets={"/v1/models": text_reply("Internal Server Error", status=500)}) as server:
        found = look(server, preset="transformers", parameters={"temperature": 0})
    assert (found.listed, found.warnings) == (None, ())


@pytest.mark.parametrize(("status", "kind", "asked"), [(401, "auth", 1), (503, "busy", 1), (400, "bad_request", 3)])
def test_a_system_that_cannot_be_asked_says_why(status: int, kind: str, asked: int) -> None:
    with ModelServer(error_reply(status, f"no {KEY}")) as server:
        found = look(server)
    assert (found.failure_kind, len(server.posts)) == (kind, asked)
    assert KEY not in json.dumps(found.as_json())
    (finding,) = [finding for finding in compare({"a": found}) if finding.level == "red"]
    assert finding.sentence.startswith("a cannot be asked: ")


def test_the_adapters_of_other_dialects_are_probed_too() -> None:
    said = {
        "type": "message",
        "model": "claude-x",
        "content": [{"type": "text", "text": "Hi"}],
        "stop_reason": "end_turn",
    }
    with ModelServer(json_reply(said), gets={"/v1/models": {"data": [{"id": "claude-x"}]}}) as server:
        found = look(server, "claude-x", dialect="anthropic")
    assert (found.listed, found.echoed, found.failure_kind) == (True, "claude-x", "")
    assert server.requests[0].headers["anthropic-version"] == "2023-06-01"


def test_a_preflight_survives_the_database() -> None:
    with ModelServer(stream(chunk("Hi", finish="stop"))) as server:
        found = look(server)
    stored = json.loads(json.dumps(found.as_json()))
    assert Preflight.from_json({**stored, "unknown": 1}) == found


def test_a_server_restarted_with_another_model_during_collecting_is_found_out() -> None:
    before = a_preflight(fingerprint="vllm-0.32.0-aaaa", version="0.32.0", quantisation="awq")
    after = a_preflight(fingerprint="vllm-0.32.0-bbbb", version="0.32.0", quantisation="")
    (sentence,) = changes(before, after)
    assert "fingerprint changed during collecting from vllm-0.32.0-aaaa to vllm-0.32.0-bbbb" in sentence
    assert changes(before, before) == []
