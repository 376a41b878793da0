"""Addresses of the owners' pages."""

from django.urls import path

from console.views import check, collecting, endpoints, experiments, inputs, opening, raters, systems

ONE = "experiments/<int:pk>/"

urlpatterns = [
    path("", experiments.experiments, name="experiments"),
    path(ONE, experiments.overview, name="experiment"),
    path(f"{ONE}archive/", experiments.put_away, name="archive"),
    path(f"{ONE}delete/", experiments.remove, name="delete"),
    path(f"{ONE}inputs/", inputs.inputs, name="inputs"),
    path(f"{ONE}systems/", systems.systems, name="systems"),
    path(f"{ONE}collecting/", collecting.collecting, name="collecting"),
    path(f"{ONE}collecting/steering/", collecting.steer, name="steering"),
    path(f"{ONE}check/", check.check, name="check"),
    path(f"{ONE}check/decisions/", check.decide_on, name="decisions"),
    path(f"{ONE}open/", opening.opening, name="opening"),
    path(f"{ONE}close/", opening.closing, name="closing"),
    path(f"{ONE}raters/", raters.raters, name="raters"),
    path(f"{ONE}raters/links/", raters.change_link, name="rater-links"),
    path("endpoints/", endpoints.endpoints, name="endpoints"),
    path("endpoints/nearby/", endpoints.look_around, name="endpoints-nearby"),
    path("endpoints/new/", endpoints.add, name="endpoint-new"),
    path("endpoints/<int:pk>/", endpoints.edit, name="endpoint"),
    path("endpoints/<int:pk>/test/", endpoints.test, name="endpoint-test"),
]
