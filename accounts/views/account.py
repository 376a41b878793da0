"""One's own account: a new password, signing out everywhere, and the way back in when the password is forgotten."""

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from accounts.actions import change_password, log
from accounts.forms import ChangingForm, ForgottenForm
from accounts.mail import send_reset_link
from accounts.models import Event, User
from accounts.throttling import PASSWORDS, RESETS, RESETS_FROM, TooMany, attempt, throttled
from accounts.views.entering import left
from config.errors import too_many

EVENTS_SHOWN = 20
ABOUT_SIGNING_IN = ("signed in", "signed out", "failed to sign in", "signed out everywhere", "set a new password")


class AccountRequest(HttpRequest):
    """A request of somebody who is signed in."""

    user: User


@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
@login_required
@throttled(PASSWORDS)
def account(request: AccountRequest) -> HttpResponse:
    """Who one is here and who came in by this name; a POST sets a new password, which ends every other session."""
    form = ChangingForm(request.POST or None)
    if request.method == "POST" and form.is_valid() and _changed(request, form):
        messages.success(request, _("Your password is changed. Everywhere else you are signed out."))
        return HttpResponseRedirect("/account/")
    events = Event.objects.filter(object=f"user {request.user.email}", verb__in=ABOUT_SIGNING_IN)
    context = {"section": "account", "form": form, "events": events.order_by("-at", "-pk")[:EVENTS_SHOWN]}
    return TemplateResponse(request, "accounts/account.html", context)


@require_POST
@login_required
def sign_out_everywhere(request: AccountRequest) -> HttpResponse:
    """End every session of the account, this one too."""
    request.user.end_sessions()
    log(request.user, "signed out everywhere", f"user {request.user.email}")
    return left(request)


@require_http_methods(["GET", "HEAD", "POST"])
def forgotten(request: HttpRequest) -> HttpResponse:
    """Send a link where mail is set up; the answer is the same, and as quick, where there is no such account."""
    form = ForgottenForm(request.POST or None) if settings.EMAIL_URL else None
    sent = False
    if form is not None and request.method == "POST" and form.is_valid():
        email = form.cleaned_data["email"].strip().lower()
        try:
            attempt(RESETS_FROM, request.META.get("REMOTE_ADDR", ""))
            attempt(RESETS, email)
        except TooMany as error:
            return too_many(request, error.wait)
        send_reset_link(email)
        sent = True
    return TemplateResponse(request, "accounts/forgotten.html", {"form": form, "sent": sent})


def _changed(request: AccountRequest, form: ChangingForm) -> bool:
    if not request.user.check_password(form.cleaned_data["present"]):
        form.add_error("present", _("This is not your present password."))
        return False
    try:
        change_password(request.user, form.cleaned_data["password"])
    except ValidationError as error:
        form.add_error(None, error)
        return False
    update_session_auth_hash(request, request.user)
    return True
