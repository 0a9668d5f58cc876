"""The outbox, and the trigger that wakes the relay when a transaction with events commits."""

from django.db import migrations, models

# Once per statement, not per row; PostgreSQL folds equal notifications of a transaction into one.
WAKE_RELAY = """
CREATE FUNCTION kernel_wake_relay() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('xsocial_outbox', '');
    RETURN NULL;
END $$;
CREATE TRIGGER wake_relay AFTER INSERT ON kernel_outboxevent
    FOR EACH STATEMENT EXECUTE FUNCTION kernel_wake_relay();
"""
LET_RELAY_SLEEP = """
DROP TRIGGER wake_relay ON kernel_outboxevent;
DROP FUNCTION kernel_wake_relay();
"""


class Migration(migrations.Migration):
    initial = True
    dependencies = []
    operations = [
        migrations.CreateModel(
            name="OutboxEvent",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("name", models.CharField(max_length=100)),
                ("version", models.PositiveSmallIntegerField()),
                ("payload", models.JSONField()),
                ("created_at", models.DateTimeField()),
                ("sent_at", models.DateTimeField(null=True)),
            ],
            options={
                "indexes": [
                    models.Index(fields=["id"], name="outbox_unsent", condition=models.Q(sent_at=None)),
                    models.Index(fields=["created_at"], name="outbox_created_at"),
                ],
            },
        ),
        migrations.RunSQL(WAKE_RELAY, LET_RELAY_SLEEP),
    ]
