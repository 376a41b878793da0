"""Addresses of accounts."""

from django.urls import path

from accounts.views import account, entering

urlpatterns = [
    path("login/", entering.sign_in_page, name="login"),
    path("logout/", entering.sign_out, name="logout"),
    path("logout/everywhere/", account.sign_out_everywhere, name="logout-everywhere"),
    path("account/", account.account, name="account"),
    path("password/forgotten/", account.forgotten, name="forgotten"),
    path("welcome/<str:token>/", entering.welcome, name="welcome"),
]
