"""What is rendered once for everybody holds nothing that is somebody's own."""

import pytest
from django.template import Context, Template, TemplateSyntaxError
from django.utils import translation


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
    ],
)
def test_nothing_that_may_differ_stands_in_it(inside: str) -> None:
    with pytest.raises(TemplateSyntaxError, match="may differ from one rater to another"):
        Template("{% load i18n still %}{% still %}<b>" + inside + "</b>{% endstill %}")


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
