"""Invitations that are withdrawn or reset, sessions that end together, tries, and a log that the database guards."""

from django.db import migrations, models

REFUSED = "The audit log is append-only."


def guard_the_log(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(
            "CREATE FUNCTION accounts_event_is_append_only() RETURNS trigger LANGUAGE plpgsql AS "
            f"$$ BEGIN RAISE EXCEPTION '{REFUSED}' USING ERRCODE = 'integrity_constraint_violation'; END $$"
        )
        schema_editor.execute(
            "CREATE TRIGGER events_are_only_added BEFORE UPDATE OR DELETE ON accounts_event "
            "FOR EACH ROW EXECUTE FUNCTION accounts_event_is_append_only()"
        )
        return
    for verb in ("UPDATE", "DELETE"):
        schema_editor.execute(
            f"CREATE TRIGGER events_are_only_added_{verb.lower()} BEFORE {verb} ON accounts_event "
            f"BEGIN SELECT RAISE(ABORT, '{REFUSED}'); END"
        )


def leave_the_log(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("DROP TRIGGER events_are_only_added ON accounts_event")
        schema_editor.execute("DROP FUNCTION accounts_event_is_append_only()")
        return
    for verb in ("update", "delete"):
        schema_editor.execute(f"DROP TRIGGER events_are_only_added_{verb}")


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0001_the_first_tables'),
    ]

    operations = [
        migrations.CreateModel(
            name='Try',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('key', models.CharField(max_length=64)),
                ('at', models.DateTimeField()),
            ],
            options={
                'verbose_name_plural': 'tries',
            },
        ),
        migrations.AddField(
            model_name='event',
            name='place',
            field=models.CharField(blank=True, max_length=64),
        ),
        migrations.AddField(
            model_name='invitation',
            name='resets',
            field=models.BooleanField(default=False),
        ),
        migrations.AddField(
            model_name='invitation',
            name='revoked_at',
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name='user',
            name='epoch',
            field=models.PositiveIntegerField(default=0),
        ),
        migrations.AddIndex(
            model_name='event',
            index=models.Index(fields=['-at', '-id'], name='events_by_time'),
        ),
        migrations.AddConstraint(
            model_name='invitation',
            constraint=models.CheckConstraint(condition=models.Q(('resets', False), models.Q(('email', ''), _negated=True), _connector='OR'), name='a_new_password_is_for_a_named_account'),
        ),
        migrations.AddIndex(
            model_name='try',
            index=models.Index(fields=['key', 'at'], name='tries_of_somebody'),
        ),
        migrations.AddIndex(
            model_name='try',
            index=models.Index(fields=['at'], name='tries_by_time'),
        ),
        migrations.RunPython(guard_the_log, leave_the_log),
    ]
