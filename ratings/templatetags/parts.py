"""`{% part %}` and `{% csrf_token %}`: what Django's own tags write, for pages that are asked for all the time."""

from typing import Any

from django import template
from django.middleware.csrf import get_token
from django.template.base import FilterExpression, Node, NodeList, Parser, Token, token_kwargs
from django.template.exceptions import TemplateSyntaxError
from django.utils.safestring import SafeString

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
        request = getattr(context, "request", None)
        if request is None:
            return SafeString("")
        return SafeString(f'<input type="hidden" name="csrfmiddlewaretoken" value="{get_token(request)}">')


@register.tag
def csrf_token(parser: Parser, token: Token) -> CsrfToken:
    """In the place of Django's, in templates that load this library."""
    return CsrfToken()
