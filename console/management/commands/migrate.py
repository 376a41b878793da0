"""Django's `migrate`, with each migration and the note that it was applied in one transaction.

Django notes a migration that left statements for its end after its transaction; whoever is killed between the two has
tables that the next run makes again, and fails. Here those statements run as the last ones of the migration itself.
"""

from typing import Any

from django.core.management.commands import migrate
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations import Migration
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.state import ProjectState


class WholeSteps(MigrationExecutor):
    """Leaves nothing for the end of a migration, so that it is noted inside its transaction."""

    def apply_migration(self, state: ProjectState, migration: Migration, *args: Any, **kwargs: Any) -> ProjectState:
        """Apply one migration; see Django's."""
        steps = migration.apply

        def apply(
            before: ProjectState, schema_editor: BaseDatabaseSchemaEditor, collect_sql: bool = False
        ) -> ProjectState:
            after = steps(before, schema_editor, collect_sql)
            while schema_editor.deferred_sql:
                schema_editor.execute(schema_editor.deferred_sql.pop(0))
            return after

        vars(migration)["apply"] = apply
        try:
            return super().apply_migration(state, migration, *args, **kwargs)
        finally:
            del vars(migration)["apply"]


vars(migrate)["MigrationExecutor"] = WholeSteps  # the command takes it from its module and has no other door
Command = migrate.Command
