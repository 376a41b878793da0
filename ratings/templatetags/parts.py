"""`{% part %}`, `{% csrf_token %}`, `{% blocktranslate %}`: as Django's tags write them, in less time."""

from typing import Any

from django import template
from django.template.base import FilterExpression, Node, NodeList, Parser, Token, token_kwargs
from django.template.exceptions import TemplateSyntaxError
from django.templatetags.i18n import BlockTranslateNode, do_block_translate
from django.utils.safestring import SafeString
from django.utils.translation import gettext, ngettext

from config.tokens import token_for

register = template.Library()


class Part(Node):
    """A partial as if it stood here: found once, and no context is made for it."""

    def __init__(self, name: str, values: dict[str, FilterExpression]) -> None:
        self._name, self._values = name, values
        self._found: NodeList | None = None

    def render(self, context: Any) -> SafeString:
        """With what the page around it knows, and the values named."""
        found = self._found
        if found is None:
            found = self._found = context.template.engine.get_template(self._name).nodelist
        if not self._values:
            return found.render(context)
        with context.push(**{name: value.resolve(context) for name, value in self._values.items()}):
            return found.render(context)


@register.tag
def part(parser: Parser, token: Token) -> Part:
    """`{% part "folder/_noun.html" %}`, and name=value for what the partial calls otherwise than the page does."""
    name, *bits = token.split_contents()[1:] or [""]
    values = token_kwargs(bits, parser)
    if name[:1] not in {'"', "'"} or name[-1:] != name[:1] or bits:
        raise TemplateSyntaxError(f"{{% part %}} takes a name in quotes, then name=value, not {token.contents}")
    return Part(name[1:-1], values)


class CsrfToken(Node):
    """Django makes its field of a token that is looked at five times through a lazy object, which takes longest."""

    def render(self, context: Any) -> SafeString:
        """The hidden field; nothing where there is no request, as on a page in a file."""
        request = context.get("request")
        if request is None:
            return SafeString("")
        return SafeString(f'<input type="hidden" name="csrfmiddlewaretoken" value="{token_for(request)}">')


@register.tag
def csrf_token(parser: Parser, token: Token) -> CsrfToken:
    """In the place of Django's, in templates that load this library."""
    return CsrfToken()


class Numbers(Node):
    """A sentence with numbers: Django's makes a context for them, puts the sentence together and escapes digits."""

    def __init__(self, sentence: BlockTranslateNode) -> None:
        self._sentence, self._counted = sentence, sentence.countervar or ""
        self._values = sentence.extra_context | ({self._counted: sentence.counter} if sentence.counter else {})
        self._one, names = sentence.render_token_list(sentence.singular)
        self._many, more = sentence.render_token_list(sentence.plural or [])
        self._plain = {*names, *more} <= self._values.keys() and not (sentence.message_context or sentence.asvar)

    def render(self, context: Any) -> str:
        """In the form that the number takes in this language; Django's own where there is more to it than numbers."""
        values = {name: value.resolve(context) for name, value in self._values.items()}
        if not self._plain or any(type(value) is not int for value in values.values()):
            return self._sentence.render(context)
        count = values.get(self._counted)
        words = gettext(self._one) if count is None else ngettext(self._one, self._many, count)
        try:
            return words % values
        except (KeyError, ValueError):  # a translation that cannot be filled in
            return self._sentence.render(context)


@register.tag
def blocktranslate(parser: Parser, token: Token) -> Numbers:
    """In the place of Django's, in templates that load this library after its own."""
    return Numbers(do_block_translate(parser, token))
