"""The quicker tags of the pair's page write what Django's own write."""

import re
from typing import Any

import pytest
from django.http import HttpRequest
from django.middleware.csrf import _does_token_match  # type: ignore[attr-defined]  # what checks a sent token
from django.template import Context, RequestContext, Template, TemplateSyntaxError
from django.test import Client, RequestFactory
from django.utils import translation

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


RESULTS = "{{ counter }} result{% plural %}{{ counter }} results"
SENTENCES = [
    ("with number=pair.number total=pair.total", "Pair <b>{{ number }}</b> of {{ total }}, 100 %"),
    ("count minutes=pair.number", "{{ minutes }} hour{% plural %}{{ minutes }} hours"),
    ("count counter=pair.number with total=pair.total", f"{{{{ total }}}}: {RESULTS}"),
    ("with number=pair.number", "{{ number }} for {{ somebody }}"),
    ("", "Nothing to fill in"),
    ('with number=pair.number context "x"', "{{ number }}"),
    ("asvar kept with number=pair.number", "{{ number }}"),
]


def sentence(options: str, words: str, libraries: str = "i18n parts") -> str:
    return f"{{% load {libraries} %}}{{% blocktranslate {options} %}}{words}{{% endblocktranslate %}}{{{{ kept }}}}"


@pytest.mark.parametrize("number", [0, 1, 2, 5, 1234, 1234567, -1, True, "<b>", None])
@pytest.mark.parametrize(("options", "words"), SENTENCES)
def test_a_sentence_with_numbers_reads_as_django_writes_it(options: str, words: str, number: object) -> None:
    for language in ("en", "de", "pl", "ar", "ja"):
        context = {"pair": {"number": number, "total": 3000}, "somebody": "<you>"}
        with translation.override(language):
            written = []
            for libraries in ("i18n", "i18n parts"):
                try:
                    written.append(rendered(sentence(options, words, libraries), Context(context)))
                except TemplateSyntaxError as error:  # a count that is no number
                    written.append(str(error))
            assert written[0] == written[1]


def test_the_form_of_a_number_is_the_one_its_language_has() -> None:
    with translation.override("pl"):
        read = [rendered(sentence("count counter=n", RESULTS), Context({"n": n})) for n in (1, 2, 5)]
    assert len({words.split()[1] for words in read}) == 3


def test_a_translation_that_cannot_be_filled_in_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ratings.templatetags.parts.gettext", lambda words: "%(nobody)s")
    assert rendered(sentence("with n=n", "Pair {{ n }}"), Context({"n": 3})) == "Pair 3"
