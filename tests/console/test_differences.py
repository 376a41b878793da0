"""What is not equal between systems, and which of it would spoil the comparison."""

from typing import Any

from backends.listing import SystemCard
from console.differences import settings, warnings


def a_card(name: str, **fields: Any) -> SystemCard:
    defaults: dict[str, Any] = {
        "endpoint": "ours",
        "server": "vLLM",
        "model": name,
        "system_prompt": "Be kind.",
        "parameters": {"temperature": 0, "max_tokens": 512},
        "concurrency": 1,
        "samples": 1,
        "cost": {},
        "facts": {},
        "recorded": False,
        "baseline": False,
        "version": "",
    }
    return SystemCard(name=name, **(defaults | fields))


def names(*cards: SystemCard) -> list[str]:
    return [name for name, _ in warnings(settings(cards))]


def test_systems_that_differ_only_in_the_model_draw_no_warning() -> None:
    assert names(a_card("one"), a_card("other")) == []


def test_sampling_length_prompt_and_load_are_warned_of() -> None:
    one = a_card("one")
    other = a_card("other", parameters={"temperature": 0.7, "max_tokens": 64}, system_prompt="", concurrency=4)
    assert names(one, other) == ["system prompt", "temperature", "max_tokens", "concurrency"]


def test_a_parameter_that_only_one_of_them_sets_is_warned_of_too() -> None:
    found = settings([a_card("one"), a_card("other", parameters={"max_tokens": 512})])
    [temperature] = [one for one in found if one.name == "temperature"]
    assert temperature.values == ("0", "not set")
    assert "default" in temperature.why


def test_recorded_answers_say_nothing_of_parameters_so_nothing_is_warned_of() -> None:
    recorded = a_card("other", recorded=True, parameters={}, endpoint="", system_prompt="Be kind.")
    assert names(a_card("one", concurrency=4), recorded) == []


def test_facts_stand_side_by_side_and_may_differ() -> None:
    found = settings([a_card("one", facts={"licence": "mit"}), a_card("other")])
    [licence] = [one for one in found if one.name == "licence"]
    assert (licence.values, licence.differs, licence.why) == (("mit", "not set"), True, "")
