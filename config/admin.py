"""Django's admin pages, for superusers; signing in happens on our own page, which counts tries."""

from typing import Any

from django.conf import settings
from django.contrib.admin import AdminSite
from django.contrib.auth.views import redirect_to_login
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect


class Site(AdminSite):
    """To everybody else these pages do not exist."""

    def has_permission(self, request: HttpRequest) -> bool:
        """Superusers only."""
        return bool(request.user.is_active and getattr(request.user, "is_superuser", False))

    def admin_view(self, view: Any, cacheable: bool = False) -> Any:
        """Django's guard, behind ours."""
        guarded = super().admin_view(view, cacheable)

        def known(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
            return guarded(request, *args, **kwargs) if self.has_permission(request) else self.login(request)

        return known

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Our own page for whoever is not signed in, and nothing for whoever is."""
        if self.has_permission(request):
            return HttpResponseRedirect("/admin/")
        if request.user.is_authenticated:
            raise Http404
        return redirect_to_login(request.get_full_path())

    def logout(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:  # type: ignore[override]
        """Our own way out."""
        return HttpResponseRedirect(settings.LOGIN_REDIRECT_URL)

    def password_change(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """Our own page."""
        return HttpResponseRedirect("/account/")
