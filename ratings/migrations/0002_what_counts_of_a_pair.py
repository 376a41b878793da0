"""Whether an assignment's judgment counts toward what is wanted of its pair: noted beside it by the database itself."""

import django.db.models.deletion
from django.db import migrations, models

ALREADY_JUDGED = (
    "UPDATE ratings_assignment SET counts = NOT ("
    "SELECT said.unblinded FROM ratings_judgment said WHERE said.assignment_id = ratings_assignment.id "
    "AND NOT EXISTS (SELECT 1 FROM ratings_judgment later WHERE later.supersedes_id = said.id)) "
    "WHERE EXISTS (SELECT 1 FROM ratings_judgment said WHERE said.assignment_id = ratings_assignment.id)"
)


def keep_the_note(apps, schema_editor):
    schema_editor.execute(ALREADY_JUDGED)
    if schema_editor.connection.vendor == "postgresql":
        # Once a statement: a hundred thousand judgments that are imported are one update each thousand.
        schema_editor.execute(
            "CREATE FUNCTION ratings_judgment_is_noted() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
            "UPDATE ratings_assignment SET counts = NOT latest.unblinded FROM ("
            "SELECT DISTINCT ON (assignment_id) assignment_id, unblinded FROM added ORDER BY assignment_id, id DESC"
            ") latest WHERE ratings_assignment.id = latest.assignment_id; RETURN NULL; END $$"
        )
        schema_editor.execute(
            "CREATE TRIGGER judgments_are_noted AFTER INSERT ON ratings_judgment REFERENCING NEW TABLE AS added "
            "FOR EACH STATEMENT EXECUTE FUNCTION ratings_judgment_is_noted()"
        )
        return
    schema_editor.execute(
        "CREATE TRIGGER judgments_are_noted AFTER INSERT ON ratings_judgment BEGIN "
        "UPDATE ratings_assignment SET counts = NOT NEW.unblinded WHERE id = NEW.assignment_id; END"
    )


def leave_the_note(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("DROP TRIGGER judgments_are_noted ON ratings_judgment")
        schema_editor.execute("DROP FUNCTION ratings_judgment_is_noted()")
        return
    schema_editor.execute("DROP TRIGGER judgments_are_noted")


class Migration(migrations.Migration):

    dependencies = [
        ('ratings', '0001_the_first_tables'),
    ]

    operations = [
        migrations.AddField(
            model_name='assignment',
            name='counts',
            field=models.BooleanField(editable=False, null=True),
        ),
        # Each was written with every pair and every judgment, and a unique constraint begins with the same columns.
        migrations.RemoveIndex(
            model_name='assignment',
            name='assignments_of_a_rater',
        ),
        migrations.AlterField(
            model_name='assignment',
            name='comparison',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='assignments', to='ratings.comparison'),
        ),
        migrations.AlterField(
            model_name='assignment',
            name='rater',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='assignments', to='ratings.rater'),
        ),
        migrations.RunPython(keep_the_note, leave_the_note),
    ]
