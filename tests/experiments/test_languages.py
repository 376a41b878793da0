"""Which language a text is in, and that nothing is said where it is not clear."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiments.languages import language_of


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Thank you for your message; the parcel is on its way and you will have it tomorrow.", "English"),
        ("Danke für Ihre Nachricht. Das Paket ist leider nicht angekommen und wird morgen zugestellt.", "German"),
        ("Bonjour, votre colis est en retard et nous vous prions de nous excuser pour la gêne.", "French"),
        ("Lo siento, su paquete no ha llegado, pero puede que llegue mañana por la tarde.", "Spanish"),
        ("Desculpe, o seu pacote não chegou. Você pode pedir o reembolso para a loja.", "Portuguese"),
        ("您好，您的包裹已经在路上了，请耐心等待。", "Chinese"),
        ("これは日本語の文章です。", "Japanese"),
        ("안녕하세요, 소포가 오는 중입니다.", "Korean"),
        ("Здравствуйте, ваша посылка уже в пути.", "a language in Cyrillic"),
    ],
)
def test_a_sentence_is_recognised(text: str, language: str) -> None:
    assert language_of(text) == language


@pytest.mark.parametrize("text", ["", "ok", "42", "{}", "Ja", "```\nthe of and to is that it for\n```", "A-17-B, C-3"])
def test_too_little_to_go_by_is_nothing(text: str) -> None:
    assert language_of(text) is None


def test_code_and_addresses_do_not_count() -> None:
    text = "Das ist die Antwort und sie ist nicht lang: `the of and to is that it for you with are this`"
    assert language_of(text) == "German"


@given(st.text(max_size=300))
def test_any_text_at_all_is_answered(text: str) -> None:
    assert language_of(text) is None or language_of(text + " ") is not None
