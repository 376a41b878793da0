"""The doors: signing in and out, and the one-time link that makes an account or sets a new password."""

from django.conf import settings
from django.contrib.auth import logout
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from accounts.actions import NoSuchInvitation, accept, log, open_invitation
from accounts.forms import SignInForm, WelcomeForm
from accounts.models import Invitation, User
from accounts.signing_in import enter, sign_in
from accounts.throttling import LINKS, TooMany, attempt, check
from config.errors import too_many, waiting


@sensitive_post_parameters("password")
@require_http_methods(["GET", "HEAD", "POST"])
def sign_in_page(request: HttpRequest) -> HttpResponse:
    """Address and password; a wrong pair and an unknown address look the same."""
    form = SignInForm(request.POST or None)
    going = _destination(request)
    if request.method != "POST" or not form.is_valid():
        return _sign_in(request, form, going)
    try:
        user = sign_in(request, **form.cleaned_data)
    except TooMany as error:
        form.add_error(None, _("Too many tries. Wait %s, then try again.") % waiting(error.wait))
        answer = _sign_in(request, form, going, status=429)
        answer.headers["Retry-After"] = str(error.wait)
        return answer
    if user is None:
        form.add_error(None, _("This address and password do not belong together."))
        return _sign_in(request, form, going)
    enter(request, user)
    return HttpResponseRedirect(going)


@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    """End the session and have the browser forget what it kept of it."""
    if isinstance(request.user, User):
        log(request.user, "signed out", f"user {request.user.email}")
    return left(request)


def left(request: HttpRequest) -> HttpResponse:
    """Nobody is signed in any more, and what the browser kept of the pages is gone."""
    logout(request)
    response = HttpResponseRedirect(settings.LOGOUT_REDIRECT_URL)
    response.headers["Clear-Site-Data"] = '"cache", "storage"'
    return response


@sensitive_post_parameters("password", "again")
@require_http_methods(["GET", "HEAD", "POST"])
def welcome(request: HttpRequest, token: str) -> HttpResponse:
    """Make the account, or set the password, that a one-time link promises; looking at it does not use it up."""
    try:
        invitation = _invitation(token, request.META.get("REMOTE_ADDR", ""))
    except TooMany as error:
        return too_many(request, error.wait)
    if invitation is None:
        return TemplateResponse(request, "accounts/no_invitation.html", status=404)
    form = WelcomeForm(request.POST or None, invited=invitation.email, resets=invitation.resets)
    if request.method == "POST" and form.is_valid():
        user = _accepted(form, token)
        if user is not None:
            enter(request, user)
            return HttpResponseRedirect(settings.LOGIN_REDIRECT_URL)
    context = {"form": form, "email": invitation.email, "staff": invitation.staff, "resets": invitation.resets}
    return TemplateResponse(request, "accounts/welcome.html", context)


def _invitation(token: str, place: str) -> Invitation | None:
    """The invitation behind a token; None where it is unknown, which is counted by `place`. Raises TooMany."""
    check(LINKS, place)
    try:
        return open_invitation(token)
    except NoSuchInvitation:
        attempt(LINKS, place)
        return None


def _accepted(form: WelcomeForm, token: str) -> User | None:
    wanted = form.cleaned_data
    email, name = wanted.get("email", ""), wanted.get("name", "")
    try:
        return accept(token=token, email=email, name=name, password=wanted["password"])
    except ValidationError as error:
        form.add_error(None, error)
    except NoSuchInvitation as error:
        form.add_error(None, str(error))
    return None


def _sign_in(request: HttpRequest, form: SignInForm, going: str, status: int = 200) -> HttpResponse:
    return TemplateResponse(request, "accounts/sign_in.html", {"form": form, "next": going}, status=status)


def _destination(request: HttpRequest) -> str:
    wanted = request.POST.get("next") or request.GET.get("next") or ""
    if url_has_allowed_host_and_scheme(wanted, {request.get_host()}, require_https=request.is_secure()):
        return wanted
    return str(settings.LOGIN_REDIRECT_URL)
