"""Receipts in a table partitioned by day. Those of the earlier form cannot be replayed and are let go."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import xsocial.kernel.clock

MAKE = """
CREATE TABLE feed_receipt (
    request_id bigint NOT NULL PRIMARY KEY,
    viewer_id bigint NOT NULL REFERENCES accounts_user (id) DEFERRABLE INITIALLY DEFERRED,
    settings_id bigint NOT NULL REFERENCES feed_loadsettings (id) DEFERRABLE INITIALLY DEFERRED,
    body bytea NOT NULL
) PARTITION BY RANGE (request_id);
ALTER TABLE feed_receipt ALTER COLUMN body SET STORAGE EXTERNAL;
CREATE INDEX feed_receipt_viewer_newest ON feed_receipt (viewer_id, request_id DESC);
"""


class Migration(migrations.Migration):
    dependencies = [migrations.swappable_dependency(settings.AUTH_USER_MODEL), ("feed", "0002_home_mixer_features")]

    operations = [
        migrations.DeleteModel(name="Receipt"),
        migrations.CreateModel(
            name="LoadSettings",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("digest", models.CharField(editable=False, max_length=64, unique=True)),
                ("body", models.JSONField()),
                ("created_at", models.DateTimeField(default=xsocial.kernel.clock.now, editable=False)),
            ],
            options={"verbose_name_plural": "load settings"},
        ),
        migrations.CreateModel(
            name="ReceiptLook",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("request_id", models.BigIntegerField()),
                ("reason", models.CharField(max_length=200)),
                ("created_at", models.DateTimeField(default=xsocial.kernel.clock.now, editable=False)),
                (
                    "actor",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "viewer",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="receipt_looks",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "ordering": ["-id"],
                "indexes": [models.Index(fields=["viewer", "request_id"], name="feed_receiptlook_whose")],
            },
        ),
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.RunSQL(MAKE, "DROP TABLE feed_receipt")],
            state_operations=[
                migrations.CreateModel(
                    name="Receipt",
                    fields=[
                        ("request_id", models.BigIntegerField(primary_key=True, serialize=False)),
                        ("body", models.BinaryField(help_text="The load's inputs and outcome, packed.")),
                        (
                            "settings",
                            models.ForeignKey(
                                db_index=False,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="receipts",
                                to="feed.loadsettings",
                            ),
                        ),
                        (
                            "viewer",
                            models.ForeignKey(
                                db_index=False,
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="receipts",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                    ],
                    options={
                        "indexes": [models.Index(fields=["viewer", "-request_id"], name="feed_receipt_viewer_newest")],
                    },
                ),
            ],
        ),
    ]
