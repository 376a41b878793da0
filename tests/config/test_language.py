"""A page speaks the language that is asked for, and says which it was, as Django's own middleware has it."""

import pytest
from django.http import HttpRequest, HttpResponse
from django.middleware.locale import LocaleMiddleware
from django.test import Client, RequestFactory
from django.utils import translation
from django.utils.cache import patch_vary_headers

from config.language import Language


def view(request: HttpRequest) -> HttpResponse:
    answer = HttpResponse(translation.gettext("Yes") + request.LANGUAGE_CODE)
    patch_vary_headers(answer, ("Cookie",))
    return answer


@pytest.mark.parametrize("path", ["/rate/", "/de/rate/", "/"])
@pytest.mark.parametrize("cookie", ["", "fr", "nonsense"])
@pytest.mark.parametrize("asked", ["", "de", "de-AT,en;q=0.5", "xx", "he;q=0.9,pl", "*", "d" * 600])
def test_it_is_the_language_that_django_would_choose(path: str, cookie: str, asked: str) -> None:
    said = []
    for middleware in (Language, LocaleMiddleware):
        request = RequestFactory().get(path, headers={"Accept-Language": asked})
        if cookie:
            request.COOKIES["django_language"] = cookie
        with translation.override("ja"):  # of the request before
            answer = middleware(view)(request)
        said.append((answer.content, dict(answer.headers)))
    assert said[0] == said[1]


@pytest.mark.django_db
def test_every_page_says_its_language(client: Client) -> None:
    for asked, spoken in (("de", "de"), ("xx", "en"), ("", "en")):
        answer = client.get("/login/", headers={"Accept-Language": asked})
        assert answer.headers["Content-Language"] == spoken
        assert "Accept-Language" in answer.headers["Vary"]
        assert f'<html lang="{spoken}"' in answer.content.decode()
