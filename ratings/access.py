"""Who is at the desk: the session that a link was exchanged for, checked anew with every request."""

from collections.abc import Callable
from datetime import timedelta
from functools import wraps
from typing import Concatenate, ParamSpec, cast

from django.db import DEFAULT_DB_ALIAS
from django.db.models import JSONField, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from accounts.sessions import SessionStore
from accounts.throttling import LINKS
from config.errors import bad_request
from config.prepared import Row, prepared
from experiments.models import Experiment
from ratings.desk import RatingEnded
from ratings.links import problem_of
from ratings.models import Rater
from ratings.showing import asked_by

SESSION_KEY = "rater"
LONGEST = timedelta(days=14)
STATUS = {"unknown": 404, "throttled": 429, "revoked": 403, "expired": 403, "finished": 409, "early": 409}
RATER = [field.attname for field in Rater._meta.concrete_fields]
# What is long and rarely looked at, such as what the seal was taken over, is read where somebody asks for it.
EXPERIMENT = [field.attname for field in Experiment._meta.concrete_fields if not isinstance(field, JSONField)]
MOST_REMEMBERED = 10_000
_last_seated: dict[str, int] = {}
P = ParamSpec("P")
Guarded = Callable[Concatenate[HttpRequest, P], HttpResponse]


class NotFromThePage(Exception):
    """A form that no button of the page could have sent."""


class RaterRequest(HttpRequest):
    """A request of somebody whose link was exchanged; the rater comes with the experiment."""

    rater: Rater


def rater_required(
    view: Callable[Concatenate[RaterRequest, P], HttpResponse], *, also_closed: bool = False
) -> Callable[Concatenate[HttpRequest, P], HttpResponse]:
    """Let only raters in, each with a sentence of why not; `also_closed` lets them in after the closing."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        rater = rater_of(request)
        if rater is None:
            return problem_page(request, "unknown")
        problem = problem_of(rater, timezone.now())
        if problem and not (also_closed and problem == "finished"):
            return problem_page(request, problem, rater)
        request.rater = rater  # type: ignore[attr-defined]  # this is what makes it a RaterRequest
        try:
            return view(request, *args, **kwargs)  # type: ignore[arg-type]  # likewise
        except RatingEnded:
            return problem_page(request, "finished", rater)
        except NotFromThePage:
            return bad_request(request)

    return cast("Guarded[P]", guarded)


def also_when_closed(
    view: Callable[Concatenate[RaterRequest, P], HttpResponse],
) -> Callable[Concatenate[HttpRequest, P], HttpResponse]:
    """Like `rater_required`, and open after the closing."""
    return rater_required(view, also_closed=True)


def rater_of(request: HttpRequest) -> Rater | None:
    """The rater of this session; none where their link was replaced since, or exchanged a fortnight ago."""
    session = cast("SessionStore", request.session)
    guess = _last_seated.get(session.session_key or "")
    rows = session.load_beside(_seated.of(guess)) if guess is not None else []
    held = session.get(SESSION_KEY)
    if not isinstance(held, dict):
        return None
    if timezone.now().timestamp() - held.get("at", 0) >= LONGEST.total_seconds():
        return None
    if held["pk"] != guess:
        rows = _seated(held["pk"])
        _remember(session.session_key or "", held["pk"])
    for row in rows:
        rater = Rater.from_db(DEFAULT_DB_ALIAS, RATER, row[: len(RATER)])
        rater.experiment = Experiment.from_db(DEFAULT_DB_ALIAS, EXPERIMENT, row[len(RATER) :])
        if rater.token_hash == held["link"]:
            return rater
    return None


def _remember(key: str, rater: int) -> None:
    """The session alone says who is seated; who it was the last time is asked for together with it."""
    if len(_last_seated) >= MOST_REMEMBERED:
        _last_seated.clear()
    _last_seated[key] = rater


@prepared
def _seated(rater: int) -> QuerySet[Rater, Row]:
    """The rater with the experiment, column by column."""
    return Rater.objects.filter(pk=rater).values_list(*RATER, *(f"experiment__{name}" for name in EXPERIMENT))


def seat(request: HttpRequest, rater: Rater) -> None:
    """Make this the browser's rater; the session keeps who is signed in, and gets a new key."""
    request.session.cycle_key()
    request.session[SESSION_KEY] = {"pk": rater.pk, "link": rater.token_hash, "at": timezone.now().timestamp()}


def problem_page(request: HttpRequest, problem: str, rater: Rater | None = None) -> HttpResponse:
    """One sentence about why a link or a session cannot be used, and whom to ask."""
    context = {"problem": problem, "asked_by": asked_by(rater.experiment) if rater else ""}
    answer = render(request, "ratings/link_problem.html", context, status=STATUS[problem])
    if problem == "throttled":
        answer.headers["Retry-After"] = str(round(LINKS.within.total_seconds()))
    return forgetting(answer) if rater is not None and request.method in {"GET", "HEAD"} else answer


def forgetting(answer: HttpResponse) -> HttpResponse:
    """Have the browser drop what it kept of the desk: the drafts of comments, which may quote what was shown."""
    answer.headers["Clear-Site-Data"] = '"storage"'
    return answer
