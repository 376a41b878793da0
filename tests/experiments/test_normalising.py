"""What surrounds an answer is taken away from both sides alike; the answer itself stays letter by letter."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from experiments.normalising import normalise

REASONING = [
    ("<think>", "</think>"),
    ("<thinking>", "</thinking>"),
    ("[THINK]", "[/THINK]"),
    ("<mm:think>", "</mm:think>"),
    ("<seed:think>", "</seed:think>"),
    ("◁think▷", "◁/think▷"),
    ("<|START_THINKING|>", "<|END_THINKING|>"),
    ("<|begin_of_thought|>", "<|end_of_thought|>"),
    ("<unused94>thought\n", "<unused95>"),
]
DEBRIS = [
    "<|im_end|>",
    "<|eot_id|>",
    "<|endoftext|>",
    "<end_of_turn>",
    "</s>",
    "[/INST]",
    "<|END_OF_TURN_TOKEN|>",
    "<｜end▁of▁sentence｜>",
    "<|return|>",
    "<eos>",
]
SCRAPS = st.lists(
    st.sampled_from(
        [
            *(*DEBRIS, *(mark for pair in REASONING for mark in pair)),
            *("<|channel|>analysis<|message|>", "<|channel|>final", "<|start|>assistant"),
            *("```", "\n", " ", "`", "a", "Hello", "<th", "ink>", "\ufeff", "\x00", "~~~", "    "),
        ]
    ),
    max_size=14,
).map("".join)


@pytest.mark.parametrize(("opener", "closer"), REASONING)
def test_reasoning_goes_whichever_way_it_is_marked(opener: str, closer: str) -> None:
    assert normalise(f"{opener}hm, hm{closer}\n\nThe answer.") == "The answer."
    assert normalise(f"hm, hm{closer}\n\nThe answer.") == "The answer."
    assert normalise(f"The answer. {opener}hm, hm") == "The answer."
    assert normalise(f"{opener}hm, hm") == ""


@pytest.mark.parametrize("token", DEBRIS)
def test_debris_goes_at_the_ends_and_in_the_middle(token: str) -> None:
    assert normalise(f"Hello{token}") == "Hello"
    assert normalise(f"{token}\n Hello {token} \n{token}") == "Hello"


def test_of_several_channels_only_the_final_one_stays() -> None:
    raw = "<|channel|>analysis<|message|>hm<|end|><|start|>assistant<|channel|>final<|message|>Hello<|return|>"
    assert normalise(raw) == "Hello"
    assert normalise("<|channel|>analysis<|message|>hm, hm") == ""
    assert normalise("analysisThe user greets.assistantfinalHello") == "Hello"


def test_what_a_model_goes_on_to_say_to_itself_is_cut_off() -> None:
    assert normalise("Hello<|im_end|>\n<|im_start|>user\nAnd now?<|im_end|>") == "Hello"


def test_headers_of_a_turn_go_with_their_role() -> None:
    assert normalise("<|start_header_id|>assistant<|end_header_id|>\n\nHello<|eot_id|>") == "Hello"
    assert normalise("<start_of_turn>model\nHello<end_of_turn>") == "Hello"
    assert normalise("<|im_start|>assistant\nHello") == "Hello"


@pytest.mark.parametrize(
    "text",
    [
        "```\n<think>\nhm\n</think>\n<|im_end|>\n```",
        "Write `<think>` first and `</think>` last.",
        "Put it after the <think> tag, before the </think> tag.",
        "~~~xml\n[/INST] </s>\n~~~\nThat is all.",
        "It was <s>struck</s> out.",
        "analysis of the assistant final exam",
        "| a | b |\n|---|---|\n| 1 | 2 |",
    ],
)
def test_words_that_are_talked_about_stay(text: str) -> None:
    assert normalise(text) == text


def test_debris_behind_a_code_block_goes_though_it_is_an_end() -> None:
    assert normalise("```\nx = 1\n```<|im_end|>") == "```\nx = 1\n```"


def test_a_fence_in_the_reasoning_does_not_hide_its_end() -> None:
    assert normalise("<think>Try ```python\nx\n</think>Hello") == "Hello"


def test_line_ends_are_one_kind_and_unstorable_characters_go() -> None:
    assert normalise("a\r\nb\rc\x00\x1b\ud800d") == "a\nb\ncd"


def test_invisible_letters_inside_the_text_are_not_silently_changed() -> None:
    assert normalise("Hel\u200blo") == "Hel\u200blo"


@given(st.text(max_size=60) | SCRAPS)
@example("<th<|im_end|>ink>x")
@settings(max_examples=300, deadline=None)
def test_twice_is_once(raw: str) -> None:
    once = normalise(raw)
    assert normalise(once) == once
    assert once == once.strip()
    assert "\x00" not in once
    once.encode()


@pytest.mark.parametrize(
    "scrap", ["</s>", "<think>", "</think>", "`", "```\n", "<|channel|>", "<|start|>", "<|im_end|> "]
)
def test_a_hostile_text_takes_no_time_to_speak_of(scrap: str) -> None:
    normalise(scrap * 20_000)
