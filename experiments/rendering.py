"""How a text becomes safe HTML: Markdown without raw HTML or images, code coloured by classes, then an allow list."""

import re
from collections.abc import Callable, Iterator, Sequence
from html import escape
from typing import Any
from urllib.parse import urlsplit

import nh3
from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.rules_core import StateCore
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token
from markdown_it.utils import OptionsDict
from pygments import highlight
from pygments.formatters.html import HtmlFormatter
from pygments.lexers import get_lexer_by_name
from pygments.token import STANDARD_TYPES
from pygments.util import ClassNotFound

SHOWN = 100_000  # bytes of text that are shown
HIGHLIGHTED = 20_000  # characters of one code block that are coloured; all blocks together twice that
SLOW = {"java": 4_000}  # the same for lexers that take long on purpose-made code
LOWEST, SHIFT = 6, 2  # headings: h1 becomes h3, nothing goes below h6
CUT = "The rest is not shown: the text is longer than 100 kB."

# Languages whose lexers are quick and commonly asked for; anything else is shown uncoloured.
LANGUAGES = {
    "bash": "bash sh shell zsh console",
    "c": "c h",
    "cpp": "cpp c++ cc hpp cxx",
    "css": "css",
    "diff": "diff patch",
    "docker": "docker dockerfile",
    "go": "go golang",
    "haskell": "haskell hs",
    "html": "html",
    "ini": "ini cfg",
    "java": "java",
    "javascript": "javascript js jsx node",
    "json": "json json5 jsonc",
    "julia": "julia jl",
    "kotlin": "kotlin kt",
    "lua": "lua",
    "matlab": "matlab octave",
    "perl": "perl pl",
    "php": "php",
    "powershell": "powershell ps1",
    "python": "python py python3",
    "r": "r",
    "ruby": "ruby rb",
    "rust": "rust rs",
    "scala": "scala",
    "sql": "sql mysql postgresql postgres sqlite",
    "swift": "swift",
    "toml": "toml",
    "typescript": "typescript ts tsx",
    "xml": "xml svg",
    "yaml": "yaml yml",
}
_LANGUAGE_OF = {alias: name for name, aliases in LANGUAGES.items() for alias in aliases.split()}

TAGS = {
    *("p", "br", "hr", "h3", "h4", "h5", "h6", "blockquote", "ul", "ol", "li", "pre"),
    *("strong", "em", "del", "code", "span", "a"),
    *("table", "thead", "tbody", "tr", "th", "td"),
}
_CODE_CLASSES = {name for name in STANDARD_TYPES.values() if name}
_LANGUAGE_CLASS = re.compile(r"language-[a-z0-9]{1,20}")
_ADDRESS = re.compile(r"(?:https?://|mailto:)[^\s\x00-\x20]+", re.I)
_NUMBER = re.compile(r"\d{1,9}")
_ALIGNMENT = {f"text-align:{side}": side for side in ("left", "right", "center")}
# Formulas are shown as they were written: Markdown would eat their backslashes and underscores.
_FORMULAS = {"\\(": "\\)", "\\[": "\\]", "$$": "$$"}
LONGEST_FORMULA = 2_000
# Lexers are quick on code as people write it; endless lines and gaps make some of them take seconds.
_STRANGE = re.compile(r"[^\n]{1000}|\s{200}")


def render(text: str) -> str:
    """Safe HTML of a Markdown text, at most its first 100 kB.

    Headings start at h3. Code blocks and tables can be reached by keyboard, so that what is wide can be scrolled.
    Slow for long hostile texts (seconds): call it once, outside any transaction.
    """
    shown = _shown(text)
    made = _clean(str(_MARKDOWN.render(shown, {"coloured": 0})))
    return made if len(shown) == len(text) else f"{made}<p>{escape(CUT)}</p>\n"


def is_safe(html: str) -> bool:
    """Whether the markup, made elsewhere, holds nothing but what `render` could have made."""
    return _clean(html) == html


def render_plain(text: str) -> str:
    """Safe HTML that shows the text letter by letter, at most its first 100 kB; white space is for the style sheet."""
    shown = _shown(text)
    cut = "" if len(shown) == len(text) else f"<p>{escape(CUT)}</p>\n"
    return f'<div class="plaintext">{escape(shown)}</div>\n{cut}'


def _shown(text: str) -> str:
    if len(text) <= SHOWN // 4:
        return text
    data = text.encode("utf-8", "replace")
    return text if len(data) <= SHOWN else data[:SHOWN].decode("utf-8", "ignore")


def _clean(html: str) -> str:
    return nh3.clean(
        html,
        tags=TAGS,
        clean_content_tags={"script", "style"},
        attributes={
            "a": {"href", "title"},
            "code": {"class"},
            "span": {"class"},
            "ol": {"start"},
            "th": {"align"},
            "td": {"align"},
        },
        attribute_filter=_attribute,
        set_tag_attribute_values={"pre": {"tabindex": "0"}, "table": {"tabindex": "0"}},
        link_rel="noopener noreferrer nofollow",
        url_schemes={"http", "https", "mailto"},
        url_relative="deny",
    )


def _attribute(tag: str, name: str, value: str) -> str | None:
    if name == "class":
        allowed = _LANGUAGE_CLASS.fullmatch(value) if tag == "code" else value in _CODE_CLASSES
    elif name == "href":
        allowed = _ADDRESS.fullmatch(value)
    elif name == "start":
        allowed = _NUMBER.fullmatch(value)
    elif name == "align":
        allowed = value in _ALIGNMENT.values()
    else:
        allowed = name in {"title", "tabindex", "rel"}
    return value if allowed else None


def _lower_headings(state: StateCore) -> None:
    for token in state.tokens:
        if token.type in {"heading_open", "heading_close"}:
            token.tag = f"h{min(int(token.tag[1]) + SHIFT, LOWEST)}"
        elif token.type in {"th_open", "td_open"}:
            # Inline styles are never allowed; the old attribute is.
            align = _ALIGNMENT.get(str(token.attrs.pop("style", "")))
            if align:
                token.attrs["align"] = align


def _tell_hosts(state: StateCore) -> None:
    """Behind a link whose words do not say so already: where it leads."""
    for token in state.tokens:
        if token.type == "inline" and token.children:
            token.children = list(_with_hosts(token.children))


def _with_hosts(tokens: Sequence[Token]) -> Iterator[Token]:
    address, words = "", ""
    for token in tokens:
        yield token
        if token.type == "link_open":
            address, words = str(token.attrs.get("href", "")), ""
        elif token.type == "link_close":
            place = _place(address)
            if place and all(place not in (word, _place(word)) for word in words.split()):
                yield Token("text", "", 0, content=f" ({place})")
        else:
            words += token.content


def _place(address: str) -> str:
    """The host, or the address of a mail, that a link leads to: what stands before an @ is not it."""
    try:
        parts = urlsplit(address)
    except ValueError:
        return ""
    return parts.path if parts.scheme == "mailto" else parts.hostname or ""


def _formula(state: StateInline, silent: bool) -> bool:
    closer = _FORMULAS.get(state.src[state.pos : state.pos + 2])
    if closer is None:
        return False
    end = state.src.find(closer, state.pos + 3, min(state.posMax, state.pos + LONGEST_FORMULA))
    if end < 0:
        return False
    if not silent:
        state.push("text", "", 0).content = state.src[state.pos : end + 2]
    state.pos = end + 2
    return True


def _fence(self: RendererHTML, tokens: Sequence[Token], at: int, options: OptionsDict, env: dict[str, Any]) -> str:
    token = tokens[at]
    language = _LANGUAGE_OF.get(token.info.strip().split(" ")[0].lower(), "") if token.info.strip() else ""
    mark = f' class="language-{language}"' if language else ""
    return f"<pre><code{mark}>{_coloured(token.content, language, env)}</code></pre>\n"


def _coloured(code: str, language: str, env: dict[str, Any]) -> str:
    too_much = len(code) > SLOW.get(language, HIGHLIGHTED) or env["coloured"] + len(code) > 2 * HIGHLIGHTED
    if not language or too_much or _STRANGE.search(code):
        return escape(code)
    env["coloured"] += len(code)
    try:
        lexer = get_lexer_by_name(language, stripnl=False, ensurenl=False)
    except ClassNotFound:
        return escape(code)
    return str(highlight(code, lexer, HtmlFormatter(nowrap=True)))


def _image(self: RendererHTML, tokens: Sequence[Token], at: int, options: OptionsDict, env: dict[str, Any]) -> str:
    alt = self.renderInlineAsText(tokens[at].children, options, env).strip()
    return f"[image: {escape(alt)}]" if alt else "[image]"


def _deleted(self: RendererHTML, tokens: Sequence[Token], at: int, options: OptionsDict, env: dict[str, Any]) -> str:
    return "<del>" if tokens[at].nesting > 0 else "</del>"


def _build() -> MarkdownIt:
    made = MarkdownIt("commonmark", {"html": False, "linkify": False}).enable(["table", "strikethrough"])
    made.core.ruler.push("lower_headings", _lower_headings)
    made.core.ruler.push("tell_hosts", _tell_hosts)
    made.inline.ruler.before("escape", "formula", _formula)
    rules: dict[str, Callable[..., str]] = {"fence": _fence, "image": _image, "s_open": _deleted, "s_close": _deleted}
    for name, rule in rules.items():
        made.add_render_rule(name, rule)
    return made


_MARKDOWN = _build()
