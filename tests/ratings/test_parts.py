"""The quicker tags of the pair's page write what Django's own write."""

import re
from typing import Any

import pytest
from django.http import HttpRequest
from django.middleware.csrf import _does_token_match  # type: ignore[attr-defined]  # what checks a sent token
from django.template import Context, RequestContext, Template, TemplateSyntaxError
from django.test import Client, RequestFactory

from ratings.blind import CleanHtml
from tests.ratings.driving import a_seated_client, an_open_experiment, fields_of

SECRET = "s3cret" * 5 + "xy"
FIELD = re.compile(r'<input type="hidden" name="csrfmiddlewaretoken" value="([A-Za-z0-9]{64})">')


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


def asking() -> HttpRequest:
    request = RequestFactory().get("/rate/")
    request.META["CSRF_COOKIE"] = SECRET
    return request


def test_the_token_of_a_form_is_one_that_django_takes_and_another_each_time() -> None:
    sent = set()
    for _ in range(50):
        request = asking()
        found = FIELD.fullmatch(rendered("{% load parts %}{% csrf_token %}", RequestContext(request)))
        assert found
        assert _does_token_match(found[1], SECRET)
        assert request.META["CSRF_COOKIE_NEEDS_UPDATE"] is True, "so that the cookie comes along"
        sent.add(found[1])
    assert len(sent) == 50
    assert rendered("{% load parts %}{% csrf_token %}", Context()) == rendered("{% csrf_token %}", Context()) == ""


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
