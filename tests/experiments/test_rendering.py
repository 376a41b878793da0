"""Outputs become safe HTML: Markdown for people, nothing that runs, loads, submits or leads into the application."""

import re
import time
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from experiments.rendering import CUT, TAGS, is_safe, render, render_plain
from tests.experiments.hostile import HOSTILE

ATTRIBUTES = {
    "a": {"href", "title", "rel"},
    "code": {"class"},
    "span": {"class"},
    "ol": {"start"},
    "th": {"align"},
    "td": {"align"},
    "pre": {"tabindex"},
    "table": {"tabindex"},
}


class Inspector(HTMLParser):
    """Reads HTML as a browser would and complains of everything that is not on the list."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.complaints: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in TAGS:
            self.complaints.append(f"<{tag}>")
        for name, value in attrs:
            if name not in ATTRIBUTES.get(tag, set()):
                self.complaints.append(f"<{tag} {name}>")
            if name == "href" and not re.match(r"(?:https?://|mailto:)", value or ""):
                self.complaints.append(f"href {value}")
            if name == "class" and not re.fullmatch(r"language-[a-z0-9]+|[a-z][a-z0-9]{0,3}|err", value or ""):
                self.complaints.append(f"class {value}")

    def handle_comment(self, data: str) -> None:
        self.complaints.append("a comment")

    def handle_decl(self, decl: str) -> None:
        self.complaints.append("a declaration")


def complaints(html: str) -> list[str]:
    inspector = Inspector()
    inspector.feed(html)
    inspector.close()
    return inspector.complaints


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_outputs_are_inert(text: str) -> None:
    for shown in (text, f"Before {text} after", f"- item\n\n  {text}\n"):
        assert complaints(render(shown)) == []
        assert set(re.findall(r"<(\w+)", render_plain(shown))) <= {"div", "p"}


def test_the_corpus_is_large_and_the_inspector_sees_what_is_wrong() -> None:
    assert len(HOSTILE) >= 83
    assert complaints("<p onclick=x><img><a href='/x'>") == ["<p onclick>", "<img>", "href /x"]


@given(st.text(max_size=200) | st.lists(st.sampled_from(HOSTILE), max_size=3).map("\n".join))
@settings(max_examples=200, deadline=None)
def test_any_text_gives_inert_html(text: str) -> None:
    html = render(text)
    assert complaints(html) == []
    assert is_safe(html)


@pytest.mark.parametrize("text", HOSTILE)
def test_markup_of_our_own_is_known_again_and_hostile_markup_is_not(text: str) -> None:
    assert is_safe(render(text))
    assert not (is_safe(text) and complaints(text))
    assert not is_safe(f"{render(text)}<script>alert(1)</script>")


@pytest.mark.parametrize(
    "html",
    [
        "<img>",
        '<span class="verdict">x</span>',
        '<p id="pair">x</p>',
        '<p style="color:red">x</p>',
        '<a href="javascript:x" rel="noopener noreferrer nofollow">x</a>',
        '<a href="/rate/undo/" rel="noopener noreferrer nofollow">x</a>',
        "<form></form>",
    ],
)
def test_what_could_act_or_look_like_the_page_is_never_safe(html: str) -> None:
    assert not is_safe(html)


def test_markdown_is_shown_as_people_know_it() -> None:
    html = render("**bold** *em* ~~gone~~ `code`\n\n1. one\n2. two\n\n> said\n\n---")
    for tag in ("strong", "em", "del", "code", "ol", "li", "blockquote", "hr"):
        assert f"<{tag}>" in html


def test_headings_never_outrank_those_of_the_page() -> None:
    html = render("# a\n\n## b\n\n### c\n\n#### d\n\nunder\n=====")
    assert re.findall(r"<(h\d)>", html) == ["h3", "h4", "h5", "h6", "h3"]


def test_code_is_coloured_by_classes_alone() -> None:
    html = render("```python\ndef f(): return 'x'\n```")
    assert '<code class="language-python">' in html
    assert '<span class="k">def</span>' in html
    assert "style" not in html


def test_code_in_an_unknown_language_is_shown_uncoloured() -> None:
    assert "<code>x &lt; y\n</code>" in render("```klingon\nx < y\n```")


def test_wide_code_and_tables_can_be_reached_by_keyboard() -> None:
    html = render("```\nx\n```\n\n    indented\n\n|a|b|\n|:-|-:|\n|1|2|")
    assert html.count('<pre tabindex="0">') == 2
    assert '<table tabindex="0">' in html
    assert '<td align="right">2</td>' in html


def test_images_are_shown_by_their_words() -> None:
    assert render("![a *red* kite](https://example.org/kite.png)") == "<p>[image: a red kite]</p>\n"


def test_links_tell_nobody_where_they_were_clicked() -> None:
    html = render('[x](https://example.org/a?b=1&c=2 "seen")')
    assert 'href="https://example.org/a?b=1&amp;c=2"' in html
    assert 'title="seen"' in html
    assert 'rel="noopener noreferrer nofollow"' in html


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("[our page](https://evil.example/a)", "</a> (evil.example)"),
        ("[https://bank.example/evil.example](https://evil.example)", "</a> (evil.example)"),
        ("[bank.example](https://bank.example@evil.example/)", "</a> (evil.example)"),
        ("[bank.example](https://evil.example/bank.example)", "</a> (evil.example)"),
        ("[see evil.example](https://evil.example/a)", "see evil.example</a></p>"),
        ("<https://evil.example/a>", "https://evil.example/a</a></p>"),
        ("[**bold** words](https://evil.example:8443/)", "</a> (evil.example)"),
        ("[write](mailto:a@evil.example)", "</a> (a@evil.example)"),
        ("[раураl.example](https://раураl.example/)", "(xn--"),
        ("[x](https://[::1]/a)", "</a> (::1)"),
    ],
)
def test_a_link_says_where_it_leads_unless_its_words_do(text: str, shown: str) -> None:
    assert shown in render(text)


def test_formulas_stay_as_they_were_written() -> None:
    assert render("\\(a_1 * b_1\\) and \\[x_1 * y_1\\] and $$a_b*c*$$") == (
        "<p>\\(a_1 * b_1\\) and \\[x_1 * y_1\\] and $$a_b*c*$$</p>\n"
    )


def test_only_the_first_hundred_kilobytes_are_shown_and_it_says_so() -> None:
    html = render("ä " * 60_000)
    assert len(html.encode()) < 101_000
    assert CUT in html
    assert CUT not in render("ä " * 30_000)
    assert CUT in render_plain("x" * 100_001)


def test_plain_text_is_shown_letter_by_letter() -> None:
    assert render_plain("**a**\n <b>") == '<div class="plaintext">**a**\n &lt;b&gt;</div>\n'


@pytest.mark.parametrize(
    "text",
    [
        "[" * 20_000,
        "![a" * 8_000,
        "\\(" * 20_000,
        "$$a" * 8_000,
        "*a_" * 8_000,
        "`" * 30_000,
        "> " * 8_000,
        "```python\n" + " \n" * 9_000 + "```",
        "```java\n" + "a\n" * 9_000 + "```",
        "```c\n" + "(" * 19_000 + "\n```",
    ],
)
def test_texts_made_to_be_slow_are_not(text: str) -> None:
    start = time.process_time()
    render(text)
    assert time.process_time() - start < 4
