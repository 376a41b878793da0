"""Addresses of accounts."""

from django.urls import path

from accounts import views

urlpatterns = [
    path("login/", views.sign_in_page, name="login"),
    path("logout/", views.sign_out, name="logout"),
    path("welcome/<str:token>/", views.welcome, name="welcome"),
]
