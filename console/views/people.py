"""The people of the site, for its staff: invitations made and withdrawn, and who may do what."""

from collections.abc import Callable

from django import forms
from django.contrib import messages
from django.http import HttpResponse, HttpResponseBadRequest, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST

from accounts.actions import OneTimeLink
from accounts.models import Invitation, User
from accounts.people import CannotDo, invite_somebody, new_link, people, set_active, set_staff, withdraw
from console.views.frames import OwnerRequest, sentence, staff_only

PEOPLE_SHOWN = 200
CHANGES: dict[str, Callable[[User, User], None]] = {
    "staff": lambda user, by: set_staff(user, True, by=by),
    "owner": lambda user, by: set_staff(user, False, by=by),
    "out": lambda user, by: set_active(user, False, by=by),
    "in": lambda user, by: set_active(user, True, by=by),
}


class InvitingForm(forms.Form):
    """Whom to invite, and as what."""

    email = forms.EmailField(label=gettext_lazy("E-mail address"))
    staff = forms.BooleanField(label=gettext_lazy("Also runs the site"), required=False)

    def clean_email(self) -> str:
        """In lower case, as addresses are stored."""
        return str(self.cleaned_data["email"]).strip().lower()


class ChangingForm(forms.Form):
    """What to do to an account."""

    user = forms.IntegerField(min_value=1, max_value=2**63 - 1)
    do = forms.ChoiceField(choices=[(name, name) for name in (*CHANGES, "link")])


class WithdrawingForm(forms.Form):
    """Which invitation no longer holds."""

    invitation = forms.IntegerField(min_value=1, max_value=2**63 - 1)


@require_http_methods(["GET", "HEAD", "POST"])
@staff_only
def everybody(request: OwnerRequest) -> HttpResponse:
    """All accounts and open links; a POST makes a link, and its answer is the only page that ever shows it."""
    form = InvitingForm(request.POST or None)
    link = None
    if request.method == "POST" and form.is_valid():
        try:
            link = invite_somebody(**form.cleaned_data, by=request.user)
            form = InvitingForm()
        except CannotDo as error:
            form.add_error(None, sentence(error))
    return _page(request, form, link)


@require_POST
@staff_only
def change(request: OwnerRequest) -> HttpResponse:
    """Change what an account may do, or make a link for its new password."""
    form = ChangingForm(request.POST)
    if not form.is_valid():
        return HttpResponseBadRequest()
    user, do = get_object_or_404(User, pk=form.cleaned_data["user"]), form.cleaned_data["do"]
    try:
        if do == "link":
            return _page(request, InvitingForm(), new_link(user, by=request.user))
        CHANGES[do](user, request.user)
    except CannotDo as error:
        messages.error(request, sentence(error))
    else:
        messages.success(request, _("The account of %s is changed, and its sessions have ended.") % user.email)
    return HttpResponseRedirect("/people/")


@require_POST
@staff_only
def take_back(request: OwnerRequest) -> HttpResponse:
    """Withdraw a link."""
    form = WithdrawingForm(request.POST)
    if not form.is_valid():
        return HttpResponseBadRequest()
    withdraw(get_object_or_404(Invitation, pk=form.cleaned_data["invitation"]), by=request.user)
    messages.success(request, _("The link no longer works."))
    return HttpResponseRedirect("/people/")


def _page(request: OwnerRequest, form: InvitingForm, link: OneTimeLink | None) -> HttpResponse:
    words = request.GET.get("q", "")[:100].replace("\0", "")
    found = people(words=words)
    context = {
        "section": "people",
        "form": form,
        "link": link,
        "words": words,
        "people": found.users[:PEOPLE_SHOWN],
        "invitations": found.invitations[:PEOPLE_SHOWN],
    }
    return TemplateResponse(request, "console/people.html", context)
