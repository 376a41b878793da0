"""When an owner left a withdrawn rater out: the database itself then notes that none of their judgments counts.

The note follows the choice in both directions, and whatever judgment is written afterwards.
"""
# ruff: noqa: S608  # the statements are put together from words of our own

from django.db import migrations, models
from django.db.models import Q

LEFT_OUT = (
    "EXISTS (SELECT 1 FROM ratings_rater WHERE ratings_rater.id = ratings_assignment.rater_id "
    "AND ratings_rater.left_out_at IS NOT NULL)"
)
# A current judgment is one that no later one supersedes: to ask for the highest key reads a whole index on Postgres.
CHOSEN = (
    "UPDATE ratings_assignment SET counts = NEW.left_out_at IS NULL AND NOT ("
    "SELECT said.unblinded FROM ratings_judgment said WHERE said.assignment_id = ratings_assignment.id "
    "AND NOT EXISTS (SELECT 1 FROM ratings_judgment later WHERE later.supersedes_id = said.id)) "
    "WHERE rater_id = NEW.id AND counts IS NOT NULL; "
)


def _on_postgres(counts):
    noted = (
        f"UPDATE ratings_assignment SET counts = {counts}, verdict = latest.verdict, seconds = latest.seconds, "
        "judged_at = latest.judged_at, commented = latest.comment <> '' FROM (SELECT DISTINCT ON (assignment_id) * "
    )
    known = ") latest WHERE ratings_assignment.id = latest.assignment_id; RETURN NULL; END $$"
    return (
        "CREATE OR REPLACE FUNCTION ratings_judgment_is_noted() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        f"{noted} FROM added ORDER BY assignment_id, id DESC{known}",
        "CREATE OR REPLACE FUNCTION ratings_judgment_is_noted_again() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        f"{noted} FROM ratings_judgment WHERE assignment_id IN (SELECT assignment_id FROM changed) "
        f"ORDER BY assignment_id, id DESC{known}",
    )


def _on_sqlite(counts):
    noted = (
        f"UPDATE ratings_assignment SET counts = {counts}, verdict = NEW.verdict, seconds = NEW.seconds, "
        "judged_at = NEW.judged_at, commented = NEW.comment <> '' WHERE id = NEW.assignment_id; END"
    )
    return (
        "DROP TRIGGER judgments_are_noted",
        f"CREATE TRIGGER judgments_are_noted AFTER INSERT ON ratings_judgment BEGIN {noted}",
        "DROP TRIGGER changed_judgments_are_noted",
        "CREATE TRIGGER changed_judgments_are_noted AFTER UPDATE ON ratings_judgment WHEN NOT EXISTS ("
        f"SELECT 1 FROM ratings_judgment WHERE assignment_id = NEW.assignment_id AND id > NEW.id) BEGIN {noted}",
    )


def note_who_is_left_out(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        statements = (
            *_on_postgres(f"NOT latest.unblinded AND NOT {LEFT_OUT}"),
            "CREATE FUNCTION ratings_rater_is_noted() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
            f"{CHOSEN} RETURN NULL; END $$",
            "CREATE TRIGGER who_is_left_out_is_noted AFTER UPDATE OF left_out_at ON ratings_rater FOR EACH ROW "
            "WHEN ((OLD.left_out_at IS NULL) <> (NEW.left_out_at IS NULL)) EXECUTE FUNCTION ratings_rater_is_noted()",
        )
    else:
        statements = (
            *_on_sqlite(f"NOT NEW.unblinded AND NOT {LEFT_OUT}"),
            "CREATE TRIGGER who_is_left_out_is_noted AFTER UPDATE OF left_out_at ON ratings_rater "
            f"WHEN (OLD.left_out_at IS NULL) <> (NEW.left_out_at IS NULL) BEGIN {CHOSEN} END",
        )
    for statement in statements:
        schema_editor.execute(statement)


def count_everybody(apps, schema_editor):
    schema_editor.execute("UPDATE ratings_rater SET left_out_at = NULL WHERE left_out_at IS NOT NULL")
    if schema_editor.connection.vendor == "postgresql":
        statements = (
            "DROP TRIGGER who_is_left_out_is_noted ON ratings_rater",
            "DROP FUNCTION ratings_rater_is_noted()",
            *_on_postgres("NOT latest.unblinded"),
        )
    else:
        statements = ("DROP TRIGGER who_is_left_out_is_noted", *_on_sqlite("NOT NEW.unblinded"))
    for statement in statements:
        schema_editor.execute(statement)


class Migration(migrations.Migration):

    dependencies = [
        ('ratings', '0003_what_was_said_of_a_pair'),
    ]

    operations = [
        migrations.AddField(
            model_name='rater',
            name='left_out_at',
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddConstraint(
            model_name='rater',
            constraint=models.CheckConstraint(
                condition=Q(left_out_at__isnull=True) | Q(revoked_at__isnull=False),
                name='whoever_is_left_out_is_withdrawn',
            ),
        ),
        migrations.RunPython(note_who_is_left_out, count_everybody),
    ]
