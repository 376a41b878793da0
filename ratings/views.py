"""The pages of a rater: each checks who asks, reads a form, makes one call to the desk and answers."""

from typing import TypeVar
from uuid import UUID

from django.forms import Form
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST
from django_htmx.http import HttpResponseClientRedirect

from config.turns import in_turn
from ratings import desk, links, practice
from ratings.access import (
    NotFromThePage,
    RaterRequest,
    also_when_closed,
    forgetting,
    problem_page,
    rater_of,
    rater_required,
    seat,
)
from ratings.blind import BlindGuess
from ratings.desk import Pause, Shown
from ratings.forms import GuessForm, PracticeForm, PreferencesForm, SkipForm, UndoForm, VerdictForm
from ratings.knowing import could_see_the_key
from ratings.showing import asked_beside, asked_by, comfort_of

AGAIN = "again"  # in the session: the judged pair that the rater went back to, so that a reload shows it again
F = TypeVar("F", bound=Form)
READ = require_http_methods(["GET", "HEAD"])
READ_OR_SEND = require_http_methods(["GET", "HEAD", "POST"])


@READ_OR_SEND
def link(request: HttpRequest, token: str) -> HttpResponse:
    """The personal link: a page with one button, whose POST opens a session and leaves the token behind."""
    now = timezone.now()
    knock = links.knock(token=token, place=request.META.get("REMOTE_ADDR", ""), now=now)
    if knock.rater is None or knock.problem:
        return problem_page(request, knock.problem, knock.rater)
    if request.method == "POST":
        links.begin(rater=knock.rater, now=now)
        seat(request, knock.rater)
        return _see_other("/rate/" if knock.rater.practised_at else "/rate/instructions/")
    welcome = desk.welcome(rater=knock.rater, now=now)
    context = {
        "briefing": welcome.briefing,
        "returning": welcome.returning,
        "done": welcome.done,
        "unblinded": could_see_the_key(rater=knock.rater, user=request.user),
        "elsewhere": knock.rater.first_used_at is not None and rater_of(request) != knock.rater,
    }
    return render(request, "ratings/landing.html", context)


@READ_OR_SEND
@rater_required
def rate(request: RaterRequest) -> HttpResponse:
    """The pair on the desk; a POST judges it and shows the next."""
    if request.method == "POST":
        return _judge(request)
    return _show(request, desk.next_pair(rater=request.rater, now=timezone.now(), again=_again(request)))


@in_turn
def _judge(request: RaterRequest) -> HttpResponse:
    experiment = request.rater.experiment
    positions = [one.position for one in asked_beside(experiment)]
    form = _valid(VerdictForm(request.POST, criteria=positions, require_comment=experiment.require_comment))
    shown = desk.judge(
        rater=request.rater,
        token=form.cleaned_data["assignment"],
        key=form.cleaned_data["key"],
        answer=form.answer(),
        unblinded=could_see_the_key(rater=request.rater, user=request.user),
        now=timezone.now(),
    )
    request.session.pop(AGAIN, None)
    return _show(request, shown)


@require_POST
@rater_required
def skip(request: RaterRequest) -> HttpResponse:
    """The pair cannot be judged and goes to somebody else."""
    said = _valid(SkipForm(request.POST)).cleaned_data
    reason = said["reason"] or "other"
    shown = desk.skip(rater=request.rater, token=said["assignment"], reason=reason, now=timezone.now())
    request.session.pop(AGAIN, None)
    return _show(request, shown)


@require_POST
@rater_required
def undo(request: RaterRequest) -> HttpResponse:
    """A judged pair again, with its answer marked."""
    said = _valid(UndoForm(request.POST)).cleaned_data
    shown = desk.undo(rater=request.rater, again=said["again"], now=timezone.now())
    if not isinstance(shown, Pause):
        request.session[AGAIN] = str(shown.token)
    return _show(request, shown)


@require_POST
@rater_required
def guess(request: RaterRequest) -> HttpResponse:
    """Which card comes from the system in use today?"""
    said = _valid(GuessForm(request.POST)).cleaned_data
    shown = desk.guess(rater=request.rater, token=said["assignment"], side=said["guess"], now=timezone.now())
    return _show(request, shown)


@READ
@also_when_closed
def done(request: RaterRequest) -> HttpResponse:
    """Thanks; nothing is left to judge."""
    context = {
        "comfort": comfort_of(request.rater),
        "done": desk.done_by(rater=request.rater),
        "asked_by": asked_by(request.rater.experiment),
        "closed": not desk.is_open(rater=request.rater),
    }
    return forgetting(render(request, "ratings/done.html", context))


@READ
@rater_required
def review(request: RaterRequest) -> HttpResponse:
    """The last answers, each of which can be changed."""
    context = {"comfort": comfort_of(request.rater), "answers": desk.review(rater=request.rater)}
    return render(request, "ratings/review.html", context)


@READ
@rater_required
def instructions(request: RaterRequest) -> HttpResponse:
    """The instructions on a page of their own."""
    context = {
        "comfort": comfort_of(request.rater),
        "briefing": desk.briefing(rater=request.rater, now=timezone.now()),
        "practised": request.rater.practised_at is not None,
    }
    return render(request, "ratings/instructions.html", context)


@require_POST
@also_when_closed
def preferences(request: RaterRequest) -> HttpResponse:
    """How the rater likes to read."""
    said = _valid(PreferencesForm(request.POST)).cleaned_data
    back = said.pop("back") or "/rate/"
    desk.prefer(rater=request.rater, preferences={name: value for name, value in said.items() if value})
    return _see_other(back)


@READ_OR_SEND
@rater_required
def practise(request: RaterRequest) -> HttpResponse:
    """Two fixed pairs with notes; nothing of it is counted."""
    said = {"step": "1", "verdict": ""}
    if request.method == "POST":
        said = _valid(PracticeForm(request.POST)).cleaned_data
    if said["step"] == "start":
        desk.practised(rater=request.rater, now=timezone.now())
        return _see_other("/rate/")
    step = said["step"]
    context: dict[str, object] = {"comfort": comfort_of(request.rater), "step": step, "steps": practice.STEPS}
    if step != "ready":
        number = int(step)
        context |= {
            "step": number,
            "pair": practice.pair(number),
            "note": practice.note(number, said["verdict"]) if said["verdict"] else "",
            "following": str(number + 1) if number < practice.STEPS else "ready",
        }
    return render(request, "ratings/practice.html", context)


def _show(request: RaterRequest, shown: Shown) -> HttpResponse:
    """A fragment for HTMX, the whole page for a GET, and a redirect to it for a POST without scripts."""
    fragment = request.headers.get("HX-Request") == "true"
    if isinstance(shown, Pause):
        return _pause(request, shown, fragment=fragment)
    if request.method == "POST" and not fragment:
        return _see_other("/rate/")
    # A template that is not told that there is no guess looks for it in four places, each of which raises.
    context: dict[str, object] = {"comfort": comfort_of(request.rater), "guess": None}
    context["guess" if isinstance(shown, BlindGuess) else "pair"] = shown
    if fragment:
        return render(request, "ratings/_swap.html", context)
    context["briefing"] = desk.briefing(rater=request.rater, now=timezone.now())
    return render(request, "ratings/rate.html", context)


def _pause(request: RaterRequest, pause: Pause, *, fragment: bool) -> HttpResponse:
    address = "/rate/" if pause.waiting else "/rate/done/"
    if fragment:
        return HttpResponseClientRedirect(address)
    if request.method == "POST" or not pause.waiting:
        return _see_other(address)
    return render(request, "ratings/none_free.html", {"comfort": comfort_of(request.rater), "done": pause.done})


def _valid(form: F) -> F:
    if not form.is_valid():
        raise NotFromThePage
    return form


def _again(request: RaterRequest) -> UUID | None:
    kept = request.session.get(AGAIN)
    return UUID(kept) if kept else None


def _see_other(address: str) -> HttpResponseRedirect:
    answer = HttpResponseRedirect(address)
    answer.status_code = 303
    return answer
