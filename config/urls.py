"""All addresses, grouped by audience: owners, raters, operators."""

from django.contrib import admin
from django.urls import include, path

from config.health import healthz, readyz
from console.views.metrics import metrics

handler400 = "config.errors.bad_request"
handler403 = "config.errors.forbidden"
handler404 = "config.errors.not_found"
handler500 = "config.errors.server_error"

urlpatterns = [
    path("healthz", healthz),
    path("healthz/", healthz),
    path("readyz", readyz),
    path("readyz/", readyz),
    path("metrics", metrics),
    path("metrics/", metrics),
    path("", include("ratings.urls")),  # first: they are asked for most often
    path("", include("console.urls")),
    path("", include("accounts.urls")),
    path("", include("reports.urls")),
    path("admin/", admin.site.urls),
]
