"""Whether the database fits this version of the program: an older one is brought up, a newer one is left alone."""

from django.core.exceptions import ImproperlyConfigured
from django.db import connection
from django.db.migrations.loader import MigrationLoader


class NewerDatabase(ImproperlyConfigured):
    """A later version has changed the tables; what it stores there is refused, not guessed at."""


def refuse_newer() -> None:
    """Raises NewerDatabase where a migration was applied that this version does not know; DatabaseError where it
    cannot be asked."""
    loader = MigrationLoader(connection)
    ours = {app for app, _ in loader.disk_migrations}
    unknown = sorted(one for one in loader.applied_migrations if one[0] in ours and one not in loader.disk_migrations)
    if unknown:
        app, name = unknown[-1]
        raise NewerDatabase(
            f"the database is of a newer version ({app} {name}). "
            "Update the program, or restore a backup of this version."
        )
