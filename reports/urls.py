"""Addresses of the report and of what can be taken away; all of them for owners."""

from django.urls import path

from reports import views

urlpatterns = [
    path("experiments/<int:pk>/report/", views.report, name="report"),
    path("experiments/<int:pk>/report/pairs/", views.pairs, name="report-pairs"),
    path("experiments/<int:pk>/report/assumptions/", views.assume, name="report-assumptions"),
    path(
        "experiments/<int:pk>/report/scores/typed/", views.add_benchmarks, {"kind": "typed"}, name="report-scores-typed"
    ),
    path("experiments/<int:pk>/report/scores/row/", views.add_benchmarks, {"kind": "row"}, name="report-scores-row"),
    path("experiments/<int:pk>/report/scores/<int:key>/removal/", views.remove_benchmark, name="report-score-removal"),
    path("experiments/<int:pk>/report.<slug:name>", views.report_file, name="report-file"),
    path("experiments/<int:pk>/exports/", views.exports, name="exports"),
    path("experiments/<int:pk>/exports/<slug:name>/", views.export_file, name="export-file"),
]
