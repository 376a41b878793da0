"""The ground of the house is loaded first: what looks at the installation is made known with it."""

from importlib import import_module

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    """Users, invitations, the audit log."""

    name = "accounts"

    def ready(self) -> None:
        """Register the checks of the installation."""
        import_module("config.checks")
