"""The headers every answer carries: what a page may load, and that nobody keeps a copy of it."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'; object-src 'none'"
)
# Text becomes markup in one place only, the policy of static/js/trusted.js; Django's own admin pages do not know it.
TYPES = "; require-trusted-types-for 'script'; trusted-types default"
# Everything a page could ask a device for, but for the clipboard, which "Copy" writes to.
FEATURES = (
    "accelerometer autoplay browsing-topics camera clipboard-read compute-pressure display-capture "
    "encrypted-media fullscreen gamepad geolocation gyroscope hid idle-detection keyboard-map local-fonts magnetometer "
    "microphone midi payment picture-in-picture publickey-credentials-create publickey-credentials-get "
    "screen-wake-lock serial storage-access usb window-management xr-spatial-tracking"
)
ALWAYS = {
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": ", ".join(f"{feature}=()" for feature in FEATURES.split()),
    "X-Robots-Tag": "noindex, nofollow",
}
# The address is the secret: a browser would tell it with every style sheet and the next page, and a proxy keep it.
LINKS = ("/r/", "/welcome/")


class SecurityHeaders:
    """Adds the headers to every answer; pages are never stored, static files keep their own caching."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        admin = request.path.startswith("/admin/")
        response.headers.setdefault("Content-Security-Policy", POLICY if admin else POLICY + TYPES)
        for name, value in ALWAYS.items():
            response.headers.setdefault(name, value)
        if request.path.startswith(LINKS):
            response.headers["Referrer-Policy"] = "strict-origin"
        if not request.path.startswith("/static/"):
            response.headers.setdefault("Cache-Control", "no-store")
        return response
