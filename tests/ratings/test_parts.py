"""The quicker tag of the pair's page writes what Django's own writes."""

from typing import Any

import pytest
from django.template import Context, Template, TemplateSyntaxError
from django.test import Client

from ratings.blind import CleanHtml
from tests.ratings.driving import a_seated_client, an_open_experiment, fields_of


def rendered(tags: str, context: Context) -> str:
    return Template(tags).render(context)


@pytest.mark.parametrize(
    "values", [{"html": CleanHtml("<b>A</b>"), "text": "<b>A</b>"}, {"html": "<script>", "text": "</div>"}, {}]
)
@pytest.mark.parametrize("comfort", ["rendered", "plain"])
def test_a_part_reads_as_if_it_were_included(values: dict[str, Any], comfort: str) -> None:
    def context() -> Context:
        return Context({"pair": values, "comfort": {"text": comfort}, "html": "the page's own", "text": "likewise"})

    name = '"ratings/_output.html"'
    both = "{% load parts %}{% part " + name + " html=pair.html text=pair.text %}|{% part " + name + " %}|{{ html }}"
    included = both.replace("{% part", "{% include").replace(" html=", " with html=")
    assert rendered(both, context()) == rendered(included, context())


@pytest.mark.parametrize("wrong", ["name", '"a.html" only', '"a.html" with x=1 y', ""])
def test_a_part_that_could_not_be_found_at_once_is_refused(wrong: str) -> None:
    with pytest.raises(TemplateSyntaxError):
        Template("{% load parts %}{% part " + wrong + " %}")


@pytest.mark.django_db
def test_the_token_of_a_swapped_form_is_good_for_the_next_verdict_and_no_other_is() -> None:
    client = a_seated_client(an_open_experiment(inputs=4))
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = client.cookies
    fields = fields_of(strict.get("/rate/").content.decode())
    for _ in range(2):
        wrong = fields | {"csrfmiddlewaretoken": fields["csrfmiddlewaretoken"][::-1], "verdict": "left"}
        assert strict.post("/rate/", wrong, headers={"HX-Request": "true"}).status_code == 403
        answer = strict.post("/rate/", fields | {"verdict": "left"}, headers={"HX-Request": "true"})
        assert answer.status_code == 200
        fields = fields_of(answer.content.decode())
