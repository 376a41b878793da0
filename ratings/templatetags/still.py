"""`{% still %}`: what reads the same for everybody, rendered once a language; the pair's page is mostly that."""

from collections.abc import Iterator
from typing import Any

from django import template
from django.template.base import FilterExpression, Node, NodeList, Parser, TextNode, Token, VariableNode, token_kwargs
from django.template.context import Context
from django.template.defaulttags import IfNode, TemplateLiteral
from django.template.exceptions import TemplateSyntaxError
from django.templatetags.i18n import TranslateNode
from django.utils.safestring import SafeString
from django.utils.translation import get_language

register = template.Library()
KEPT = 200  # renderings of one place: what it differs by takes few values, and a mistake in that fills no memory


class Still(Node):
    """Markup and fixed words, which differ by nothing but the language and the few values named."""

    def __init__(self, nodelist: NodeList, by: dict[str, FilterExpression]) -> None:
        self.nodelist, self._names, self._by = nodelist, tuple(by), tuple(by.values())
        self.rendered: dict[tuple[Any, ...], SafeString] = {}

    def render(self, context: Context) -> SafeString:
        """As it was rendered first in this language with these values; nothing else is in sight of it."""
        values = [one.resolve(context) for one in self._by]
        # Equal values of two types, such as a text and one that is safe as it is, may be written differently.
        key = (get_language(), *((type(value), value) for value in values))
        kept = self.rendered.get(key)
        if kept is None:
            kept = self.nodelist.render(Context(dict(zip(self._names, values, strict=True))))
            if len(self.rendered) < KEPT:
                self.rendered[key] = kept
        return kept


@register.tag
def still(parser: Parser, token: Token) -> Still:
    """`{% still %}` or `{% still name=value %}`: only text, translated constants and the names may stand in it.

    What it kept of one rater it would show to another. A value is one of few: a switch, or a word of a short list.
    """
    bits = token.split_contents()[1:]
    by = token_kwargs(bits, parser)
    if bits:
        raise TemplateSyntaxError(f"{{% still %}} takes name=value, not {bits[0]}")
    nodelist = parser.parse(("endstill",))
    parser.delete_first_token()
    _check(nodelist, set(by))
    return Still(nodelist, by)


def _check(nodelist: NodeList, names: set[str]) -> None:
    for node in nodelist:
        if isinstance(node, IfNode):
            for condition, inside in node.conditions_nodelists:
                if not all(_is_known(one, names) for one in _compared(condition)):
                    raise _may_differ(node)
                _check(inside, names)
        elif not isinstance(node, TextNode) and not _is_fixed(node, names):
            raise _may_differ(node)


def _may_differ(node: Node) -> TemplateSyntaxError:
    return TemplateSyntaxError(f"{{% still %}} holds {node!r}, which may differ from one rater to another")


def _is_fixed(node: Node, names: set[str]) -> bool:
    if isinstance(node, VariableNode):
        return _is_known(node.filter_expression, names)
    if not isinstance(node, TranslateNode) or node.asvar:
        return False
    words = (node.filter_expression, node.message_context)
    return all(one is None or _is_known(one, set()) for one in words)


def _compared(condition: Any) -> Iterator[Any]:
    """What an `{% if %}` looks at: the leaves of its tree of operators."""
    if isinstance(condition, TemplateLiteral):
        yield condition.value
    elif condition is not None:
        yield from _compared(condition.first)
        yield from _compared(condition.second)


def _is_known(expression: FilterExpression, names: set[str]) -> bool:
    """A constant, or one of the names, as it stands there."""
    if expression.filters:
        return False
    return getattr(expression.var, "literal", expression.var) is not None or expression.token in names
