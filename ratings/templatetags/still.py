"""`{% still %}`: what reads the same for everybody, rendered once a language; the pair's page is mostly that."""

from django import template
from django.template.base import Node, NodeList, Parser, TextNode, Token
from django.template.context import Context
from django.template.exceptions import TemplateSyntaxError
from django.templatetags.i18n import TranslateNode
from django.utils.safestring import SafeString
from django.utils.translation import get_language

register = template.Library()


class Still(Node):
    """Markup and fixed words."""

    def __init__(self, nodelist: NodeList) -> None:
        self.nodelist = nodelist
        self._rendered: dict[str, SafeString] = {}

    def render(self, context: Context) -> SafeString:
        """As it was rendered first in this language."""
        language = get_language() or ""
        if language not in self._rendered:
            self._rendered[language] = self.nodelist.render(context)
        return self._rendered[language]


@register.tag
def still(parser: Parser, token: Token) -> Still:
    """Only text and translated constants may stand in it: what it keeps of one rater it would show to another."""
    nodelist = parser.parse(("endstill",))
    parser.delete_first_token()
    for node in nodelist:
        if not isinstance(node, TextNode) and not _is_constant(node):
            raise TemplateSyntaxError(f"{{% still %}} holds {node!r}, which may differ from one rater to another")
    return Still(nodelist)


def _is_constant(node: Node) -> bool:
    if not isinstance(node, TranslateNode) or node.asvar or node.message_context or node.filter_expression.filters:
        return False
    return getattr(node.filter_expression.var, "literal", None) is not None
