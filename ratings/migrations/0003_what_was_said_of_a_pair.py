"""The gist of an assignment's current judgment, noted beside `counts` by the database itself with every judgment.

Nothing of ours changes a judgment; where somebody does it by hand, the note follows.
"""

from django.db import migrations, models

ALREADY_JUDGED = (
    "UPDATE ratings_assignment SET (verdict, seconds, judged_at, commented) = ("
    "SELECT said.verdict, said.seconds, said.judged_at, said.comment <> '' FROM ratings_judgment said "
    "WHERE said.assignment_id = ratings_assignment.id ORDER BY said.id DESC LIMIT 1) WHERE counts IS NOT NULL"
)
ON_POSTGRES = (
    "CREATE OR REPLACE FUNCTION ratings_judgment_is_noted() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
    "UPDATE ratings_assignment SET counts = NOT latest.unblinded, verdict = latest.verdict, seconds = latest.seconds, "
    "judged_at = latest.judged_at, commented = latest.comment <> '' FROM ("
    "SELECT DISTINCT ON (assignment_id) * FROM added ORDER BY assignment_id, id DESC"
    ") latest WHERE ratings_assignment.id = latest.assignment_id; RETURN NULL; END $$",
    "CREATE FUNCTION ratings_judgment_is_noted_again() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
    "UPDATE ratings_assignment SET counts = NOT latest.unblinded, verdict = latest.verdict, seconds = latest.seconds, "
    "judged_at = latest.judged_at, commented = latest.comment <> '' FROM ("
    "SELECT DISTINCT ON (assignment_id) * FROM ratings_judgment "
    "WHERE assignment_id IN (SELECT assignment_id FROM changed) ORDER BY assignment_id, id DESC"
    ") latest WHERE ratings_assignment.id = latest.assignment_id; RETURN NULL; END $$",
    "CREATE TRIGGER changed_judgments_are_noted AFTER UPDATE ON ratings_judgment REFERENCING NEW TABLE AS changed "
    "FOR EACH STATEMENT EXECUTE FUNCTION ratings_judgment_is_noted_again()",
)
ON_SQLITE = (
    "DROP TRIGGER judgments_are_noted",
    "CREATE TRIGGER judgments_are_noted AFTER INSERT ON ratings_judgment BEGIN "
    "UPDATE ratings_assignment SET counts = NOT NEW.unblinded, verdict = NEW.verdict, seconds = NEW.seconds, "
    "judged_at = NEW.judged_at, commented = NEW.comment <> '' WHERE id = NEW.assignment_id; END",
    "CREATE TRIGGER changed_judgments_are_noted AFTER UPDATE ON ratings_judgment WHEN NOT EXISTS ("
    "SELECT 1 FROM ratings_judgment WHERE assignment_id = NEW.assignment_id AND id > NEW.id) BEGIN "
    "UPDATE ratings_assignment SET counts = NOT NEW.unblinded, verdict = NEW.verdict, seconds = NEW.seconds, "
    "judged_at = NEW.judged_at, commented = NEW.comment <> '' WHERE id = NEW.assignment_id; END",
)
BACK_ON_POSTGRES = (
    "DROP TRIGGER changed_judgments_are_noted ON ratings_judgment",
    "DROP FUNCTION ratings_judgment_is_noted_again()",
    "CREATE OR REPLACE FUNCTION ratings_judgment_is_noted() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
    "UPDATE ratings_assignment SET counts = NOT latest.unblinded FROM ("
    "SELECT DISTINCT ON (assignment_id) assignment_id, unblinded FROM added ORDER BY assignment_id, id DESC"
    ") latest WHERE ratings_assignment.id = latest.assignment_id; RETURN NULL; END $$",
)
BACK_ON_SQLITE = (
    "DROP TRIGGER changed_judgments_are_noted",
    "DROP TRIGGER judgments_are_noted",
    "CREATE TRIGGER judgments_are_noted AFTER INSERT ON ratings_judgment BEGIN "
    "UPDATE ratings_assignment SET counts = NOT NEW.unblinded WHERE id = NEW.assignment_id; END",
)


def note_what_was_said(apps, schema_editor):
    schema_editor.execute(ALREADY_JUDGED)
    for statement in ON_POSTGRES if schema_editor.connection.vendor == "postgresql" else ON_SQLITE:
        schema_editor.execute(statement)


def note_whether_it_counts(apps, schema_editor):
    for statement in BACK_ON_POSTGRES if schema_editor.connection.vendor == "postgresql" else BACK_ON_SQLITE:
        schema_editor.execute(statement)


class Migration(migrations.Migration):

    dependencies = [
        ('ratings', '0002_what_counts_of_a_pair'),
    ]

    operations = [
        migrations.AddField(
            model_name='assignment',
            name='verdict',
            field=models.CharField(editable=False, max_length=9, null=True),
        ),
        migrations.AddField(
            model_name='assignment',
            name='seconds',
            field=models.FloatField(editable=False, null=True),
        ),
        migrations.AddField(
            model_name='assignment',
            name='judged_at',
            field=models.DateTimeField(editable=False, null=True),
        ),
        migrations.AddField(
            model_name='assignment',
            name='commented',
            field=models.BooleanField(editable=False, null=True),
        ),
        migrations.RunPython(note_what_was_said, note_whether_it_counts),
    ]
