"""Django's admin pages as an app, with our own site in the place of Django's."""

from django.contrib.admin.apps import AdminConfig


class Admin(AdminConfig):
    """Its pages are those of config.admin."""

    default_site = "config.admin.Site"
