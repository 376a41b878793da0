"""What is rendered once for everybody holds nothing that is somebody's own."""

from itertools import product

import pytest
from django.template import Context, Template, TemplateSyntaxError
from django.utils import translation
from django.utils.safestring import mark_safe

from ratings.templatetags.still import KEPT, Still


@pytest.mark.parametrize(
    "inside",
    [
        "{{ pair.number }}",
        "{% translate pair.question %}",
        '{% translate "Undo"|add:pair.number %}',
        '{% translate "Undo" as word %}',
        "{% if pair %}A{% endif %}",
        '{% include "ratings/_progress.html" %}',
        "{% csrf_token %}",
        '{% part "ratings/_progress.html" %}',
        "{% if chosen == pair.verdict %}A{% endif %}",
        "{% if chosen %}{{ pair.left_html }}{% endif %}",
        "{{ chosen|default:pair.number }}",
        '{% translate "Yes" context pair.question %}',
    ],
)
def test_nothing_that_may_differ_stands_in_it(inside: str) -> None:
    with pytest.raises(TemplateSyntaxError, match="may differ from one rater to another"):
        Template("{% load i18n parts still %}{% still chosen=pair.chosen %}<b>" + inside + "</b>{% endstill %}")


def test_it_reads_as_without_it_in_each_language() -> None:
    words = '<b title="{% translate \'Yes\' %}">{% translate "No" %}</b>'
    still, plain = (
        Template("{% load i18n still %}" + text) for text in ("{% still %}" + words + "{% endstill %}", words)
    )
    for language in ("en", "de", "en"):
        with translation.override(language):
            assert still.render(Context()) == plain.render(Context())
    with translation.override("de"):
        assert "Nein" in still.render(Context())


def test_it_differs_by_what_it_is_told_and_by_nothing_else() -> None:
    words = (
        '<b{% if chosen == "left" %} class="{{ chosen }}"{% elif twice %} hidden{% endif %}>{% translate "No" %}</b>'
    )
    still = Template("{% load i18n still %}{% still chosen=pair.chosen twice=pair.twice %}" + words + "{% endstill %}")
    plain = Template("{% load i18n %}" + words)
    for language, chosen, twice in product(("en", "de", "en"), ("left", "", "right", "left", "<&>"), (False, True)):
        said = {"chosen": chosen, "twice": twice}
        with translation.override(language):
            assert still.render(Context({"pair": said, "somebody": "else"})) == plain.render(Context(said))


def test_equal_values_of_two_types_are_written_each_in_its_way() -> None:
    still = Template("{% load still %}{% still v=v %}{{ v }}{% endstill %}")
    for value, written in (
        ("<b>", "&lt;b&gt;"),
        (mark_safe("<b>"), "<b>"),
        ("<b>", "&lt;b&gt;"),
        (1, "1"),
        (True, "True"),
    ):
        assert still.render(Context({"v": value})) == written


@pytest.mark.parametrize("junk", ["v=v junk", "v", "v=v only"])
def test_what_it_does_not_understand_is_refused(junk: str) -> None:
    with pytest.raises(TemplateSyntaxError, match="takes name=value"):
        Template("{% load still %}{% still " + junk + " %}<b></b>{% endstill %}")


def test_a_value_that_is_never_the_same_fills_no_memory() -> None:
    still = Template("{% load still %}{% still number=number %}{{ number }}{% endstill %}")
    assert [still.render(Context({"number": number})) for number in range(2 * KEPT)] == list(map(str, range(2 * KEPT)))
    (node,) = still.nodelist.get_nodes_by_type(Still)
    assert isinstance(node, Still)
    assert len(node.rendered) == KEPT
