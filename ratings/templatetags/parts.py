"""`{% part %}`: what `{% include %}` writes, in less time."""

from typing import Any

from django import template
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
        with context.push({name: value.resolve(context) for name, value in self._values.items()}):
            return found.render(context)


@register.tag
def part(parser: Parser, token: Token) -> Part:
    """`{% part "folder/_noun.html" %}`, and name=value for what the partial calls otherwise than the page does."""
    name, *bits = token.split_contents()[1:] or [""]
    values = token_kwargs(bits, parser)
    if name[:1] not in {'"', "'"} or name[-1:] != name[:1] or bits:
        raise TemplateSyntaxError(f"{{% part %}} takes a name in quotes, then name=value, not {token.contents}")
    return Part(name[1:-1], values)
