"""Addresses of the owners' pages."""

from django.urls import path

from console.views import (
    adding_inputs,
    check,
    collecting,
    drafts,
    endpoints,
    experiments,
    inputs,
    opening,
    raters,
    swapping,
    systems,
)

ONE = "experiments/<int:pk>/"

urlpatterns = [
    path("", experiments.experiments, name="experiments"),
    path("experiments/new/", drafts.new, name="new"),
    path(ONE, experiments.overview, name="experiment"),
    path(f"{ONE}archive/", experiments.put_away, name="archive"),
    path(f"{ONE}delete/", experiments.remove, name="delete"),
    path(f"{ONE}question/", drafts.question, name="question"),
    path(f"{ONE}plan/", drafts.plan, name="plan"),
    path(f"{ONE}owners/", drafts.owners, name="owners"),
    path(f"{ONE}owners/leaving/", drafts.leave, name="owners-leaving"),
    path(f"{ONE}inputs/", inputs.inputs, name="inputs"),
    path(f"{ONE}inputs/new/", adding_inputs.add, name="inputs-new"),
    path(f"{ONE}inputs/preview/", adding_inputs.preview, name="inputs-preview"),
    path(f"{ONE}inputs/taking/", adding_inputs.take, name="inputs-taking"),
    path(f"{ONE}inputs/problems/", adding_inputs.problems, name="inputs-problems"),
    path(f"{ONE}inputs/removing/", adding_inputs.remove, name="inputs-removing"),
    path(f"{ONE}inputs/<int:position>/swap/", swapping.exchange, name="swap"),
    path(f"{ONE}inputs/personal/", swapping.personal, name="personal"),
    path(f"{ONE}systems/", systems.systems, name="systems"),
    path(f"{ONE}systems/new/", systems.add, name="system-new"),
    path(f"{ONE}systems/recorded/", systems.add_recorded, name="system-recorded"),
    path(f"{ONE}systems/models/", systems.models, name="system-models"),
    path(f"{ONE}systems/removing/", systems.remove, name="system-removing"),
    path(f"{ONE}systems/baseline/", systems.baseline, name="system-baseline"),
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
    path("endpoints/<int:pk>/delete/", endpoints.remove, name="endpoint-removing"),
    path("endpoints/<int:pk>/test/", endpoints.test, name="endpoint-test"),
]
