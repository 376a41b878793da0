"""The addresses of raters; none of them names an experiment."""

from django.urls import path

from ratings import views

urlpatterns = [
    path("rate/", views.rate),
    path("r/<str:token>/", views.link),
    path("rate/undo/", views.undo),
    path("rate/skip/", views.skip),
    path("rate/guess/", views.guess),
    path("rate/practice/", views.practise),
    path("rate/done/", views.done),
    path("rate/preferences/", views.preferences),
    path("rate/review/", views.review),
    path("rate/instructions/", views.instructions),
]
