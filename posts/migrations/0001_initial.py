import django.contrib.postgres.indexes
import django.contrib.postgres.search
import django.db.models.deletion
import pgvector.django.indexes
import pgvector.django.vector
from django.conf import settings
from django.db import migrations, models
from pgvector.django import VectorExtension

import posts.types
import xsocial.kernel.clock
import xsocial.kernel.ids


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("accounts", "0001_initial"),
        # Not needed by these tables: with them in the project's state, each step of the library's
        # long history would rebuild every model related to the user (five seconds of a first migrate).
        ("oauth2_provider", "0022_refreshtoken_token_family_index"),
        ("mfa", "0003_authenticator_type_uniq"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        VectorExtension(),
        migrations.CreateModel(
            name="Post",
            fields=[
                (
                    "id",
                    models.BigIntegerField(
                        default=xsocial.kernel.ids.next_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("text", models.TextField(blank=True)),
                ("spoiler_text", models.CharField(blank=True, max_length=200)),
                ("sensitive", models.BooleanField(default=False)),
                ("language", models.CharField(blank=True, max_length=8)),
                (
                    "visibility",
                    models.CharField(
                        choices=[
                            ("public", "Public"),
                            ("unlisted", "Unlisted"),
                            ("private", "Followers"),
                            ("direct", "Direct"),
                        ],
                        default=posts.types.Visibility["PUBLIC"],
                        max_length=10,
                    ),
                ),
                ("subscribers_only", models.BooleanField(default=False)),
                ("conversation_id", models.BigIntegerField()),
                ("has_media", models.BooleanField(default=False)),
                (
                    "video_duration_ms",
                    models.PositiveIntegerField(
                        blank=True, help_text="Shortest video of the post; empty without video.", null=True
                    ),
                ),
                ("application", models.CharField(blank=True, help_text="Client that posted it.", max_length=80)),
                ("created_at", models.DateTimeField(default=xsocial.kernel.clock.now)),
                ("edited_at", models.DateTimeField(blank=True, null=True)),
                ("deleted_at", models.DateTimeField(blank=True, null=True)),
                (
                    "author",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="posts",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "in_reply_to",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="replies",
                        to="posts.post",
                    ),
                ),
                (
                    "in_reply_to_user",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "quote_of",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="quotes",
                        to="posts.post",
                    ),
                ),
                (
                    "repost_of",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="reposts",
                        to="posts.post",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Tag",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=100, unique=True)),
            ],
        ),
        migrations.CreateModel(
            name="PostCounts",
            fields=[
                (
                    "post",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="counts",
                        serialize=False,
                        to="posts.post",
                    ),
                ),
                ("favorites", models.PositiveIntegerField(default=0)),
                ("replies", models.PositiveIntegerField(default=0)),
                ("reposts", models.PositiveIntegerField(default=0)),
                ("quotes", models.PositiveIntegerField(default=0)),
                ("bookmarks", models.PositiveIntegerField(default=0)),
                ("shares", models.PositiveIntegerField(default=0)),
                ("views", models.PositiveIntegerField(default=0)),
            ],
        ),
        migrations.CreateModel(
            name="Notification",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("mention", "Mention"),
                            ("reply", "Reply"),
                            ("favourite", "Favorite"),
                            ("reblog", "Repost"),
                            ("quote", "Quote"),
                            ("follow", "Follow"),
                            ("follow_request", "Follow Request"),
                            ("status", "New Post"),
                            ("update", "Edited"),
                            ("moderation_warning", "Moderation"),
                        ],
                        max_length=20,
                    ),
                ),
                ("created_at", models.DateTimeField(default=xsocial.kernel.clock.now)),
                ("read_at", models.DateTimeField(blank=True, null=True)),
                (
                    "actor",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                (
                    "recipient",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="notifications",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "post",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="posts.post",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Mention",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="mentions",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "post",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="mentions",
                        to="posts.post",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Media",
            fields=[
                (
                    "id",
                    models.BigIntegerField(
                        default=xsocial.kernel.ids.next_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("position", models.PositiveSmallIntegerField(default=0)),
                (
                    "kind",
                    models.CharField(choices=[("image", "Image"), ("video", "Video"), ("gifv", "Gif")], max_length=8),
                ),
                ("file", models.FileField(upload_to="media/%Y/%m/")),
                ("preview", models.ImageField(blank=True, upload_to="previews/%Y/%m/")),
                ("alt_text", models.CharField(blank=True, max_length=1500)),
                ("width", models.PositiveIntegerField(default=0)),
                ("height", models.PositiveIntegerField(default=0)),
                ("duration_ms", models.PositiveIntegerField(blank=True, null=True)),
                ("blurhash", models.CharField(blank=True, max_length=120)),
                ("content_type", models.CharField(max_length=60)),
                ("created_at", models.DateTimeField(default=xsocial.kernel.clock.now)),
                (
                    "owner",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="media",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "post",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="media",
                        to="posts.post",
                    ),
                ),
            ],
            options={
                "ordering": ["position", "id"],
            },
        ),
        migrations.CreateModel(
            name="Impression",
            fields=[
                (
                    "id",
                    models.BigIntegerField(
                        default=xsocial.kernel.ids.next_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("author_id", models.BigIntegerField()),
                (
                    "surface",
                    models.PositiveSmallIntegerField(
                        choices=[
                            (0, "unspecified"),
                            (1, "home_for_you"),
                            (2, "home_following"),
                            (3, "profile"),
                            (4, "post_detail"),
                            (5, "search"),
                            (6, "notifications"),
                            (7, "gallery"),
                            (8, "tag"),
                            (9, "bookmarks"),
                            (10, "api"),
                        ],
                        default=posts.types.Surface["UNSPECIFIED"],
                    ),
                ),
                ("position", models.PositiveSmallIntegerField(blank=True, null=True)),
                ("request_id", models.BigIntegerField(blank=True, null=True)),
                ("seconds", models.FloatField(blank=True, null=True)),
                ("propensity", models.FloatField(blank=True, null=True)),
                ("created_at", models.DateTimeField(default=xsocial.kernel.clock.now)),
                (
                    "user",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="impressions",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "post",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="impressions",
                        to="posts.post",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Engagement",
            fields=[
                (
                    "id",
                    models.BigIntegerField(
                        default=xsocial.kernel.ids.next_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("author_id", models.BigIntegerField(help_text="Author of the post.")),
                (
                    "kind",
                    models.PositiveSmallIntegerField(
                        choices=[
                            (0, "favorite"),
                            (1, "reply"),
                            (2, "repost"),
                            (3, "photo_expand"),
                            (4, "click"),
                            (5, "profile_click"),
                            (6, "video_quality_view"),
                            (7, "share"),
                            (8, "share_via_dm"),
                            (9, "share_via_copy_link"),
                            (10, "dwell"),
                            (11, "quote"),
                            (12, "quoted_click"),
                            (13, "follow_author"),
                            (14, "not_interested"),
                            (15, "block_author"),
                            (16, "mute_author"),
                            (17, "report"),
                            (18, "dwell_time"),
                            (19, "not_dwelled"),
                            (20, "video_view"),
                            (21, "click_dwell"),
                            (22, "bookmark"),
                            (23, "open_link"),
                        ]
                    ),
                ),
                (
                    "surface",
                    models.PositiveSmallIntegerField(
                        choices=[
                            (0, "unspecified"),
                            (1, "home_for_you"),
                            (2, "home_following"),
                            (3, "profile"),
                            (4, "post_detail"),
                            (5, "search"),
                            (6, "notifications"),
                            (7, "gallery"),
                            (8, "tag"),
                            (9, "bookmarks"),
                            (10, "api"),
                        ],
                        default=posts.types.Surface["UNSPECIFIED"],
                    ),
                ),
                ("seconds", models.FloatField(blank=True, help_text="Dwell or watch time.", null=True)),
                ("request_id", models.BigIntegerField(blank=True, help_text="Page load it happened on.", null=True)),
                (
                    "made_post_id",
                    models.BigIntegerField(
                        blank=True, help_text="The reply, quote or repost that the action made.", null=True
                    ),
                ),
                ("created_at", models.DateTimeField(default=xsocial.kernel.clock.now)),
                (
                    "user",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="engagements",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "post",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="engagements",
                        to="posts.post",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Bookmark",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("created_at", models.DateTimeField(default=xsocial.kernel.clock.now)),
                (
                    "user",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="bookmarks",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "post",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="bookmarks", to="posts.post"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="PostEdit",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("text", models.TextField(blank=True)),
                ("spoiler_text", models.CharField(blank=True, max_length=200)),
                ("sensitive", models.BooleanField(default=False)),
                ("media_ids", models.JSONField(default=list)),
                ("written_at", models.DateTimeField()),
                ("replaced_at", models.DateTimeField(default=xsocial.kernel.clock.now)),
                (
                    "post",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="edits", to="posts.post"
                    ),
                ),
            ],
            options={
                "ordering": ["id"],
            },
        ),
        migrations.CreateModel(
            name="PostEmbedding",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("model", models.CharField(help_text="Embedder and version.", max_length=40)),
                ("vector", pgvector.django.vector.VectorField(dimensions=384)),
                ("created_at", models.DateTimeField(default=xsocial.kernel.clock.now)),
                (
                    "post",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="embeddings",
                        to="posts.post",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="PostTopic",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("confidence", models.FloatField(default=1.0)),
                ("is_curated", models.BooleanField(default=False, help_text="Approved by a person.")),
                (
                    "post",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="topic_links",
                        to="posts.post",
                    ),
                ),
                (
                    "topic",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="post_links", to="accounts.topic"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="PostTag",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "post",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="tag_links",
                        to="posts.post",
                    ),
                ),
                (
                    "tag",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="post_links",
                        to="posts.tag",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="IdempotencyKey",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("key", models.CharField(max_length=128)),
                ("fingerprint", models.CharField(max_length=64)),
                ("object_id", models.BigIntegerField()),
                ("created_at", models.DateTimeField(default=xsocial.kernel.clock.now)),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["created_at"], name="posts_idempotency_time")],
                "constraints": [models.UniqueConstraint(fields=("user", "key"), name="posts_idempotency_unique")],
            },
        ),
        migrations.AddIndex(
            model_name="post",
            index=models.Index(fields=["author", "-id"], name="posts_post_author_recent"),
        ),
        migrations.AddIndex(
            model_name="post",
            index=models.Index(fields=["conversation_id", "id"], name="posts_post_conversation"),
        ),
        migrations.AddIndex(
            model_name="post",
            index=models.Index(fields=["-created_at"], name="posts_post_recent"),
        ),
        migrations.AddIndex(
            model_name="post",
            index=django.contrib.postgres.indexes.GinIndex(
                django.contrib.postgres.search.SearchVector("spoiler_text", "text", config="simple"),
                name="posts_post_search",
            ),
        ),
        migrations.AddConstraint(
            model_name="post",
            constraint=models.UniqueConstraint(
                condition=models.Q(("deleted_at__isnull", True), ("repost_of__isnull", False)),
                fields=("author", "repost_of"),
                name="posts_post_one_repost",
            ),
        ),
        migrations.AddConstraint(
            model_name="post",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("repost_of__isnull", True),
                    models.Q(("in_reply_to__isnull", True), ("quote_of__isnull", True)),
                    _connector="OR",
                ),
                name="posts_post_repost_is_bare",
            ),
        ),
        migrations.AddConstraint(
            model_name="post",
            constraint=models.CheckConstraint(
                condition=models.Q(("in_reply_to", models.F("id")), _negated=True), name="posts_post_no_self_reply"
            ),
        ),
        migrations.AddIndex(
            model_name="notification",
            index=models.Index(fields=["recipient", "-id"], name="posts_notification_recent"),
        ),
        migrations.AddConstraint(
            model_name="notification",
            constraint=models.UniqueConstraint(
                fields=("recipient", "actor", "kind", "post"), name="posts_notification_once", nulls_distinct=False
            ),
        ),
        migrations.AddConstraint(
            model_name="mention",
            constraint=models.UniqueConstraint(fields=("post", "user"), name="posts_mention_unique"),
        ),
        migrations.AddIndex(
            model_name="media",
            index=models.Index(fields=["owner", "-id"], name="posts_media_owner"),
        ),
        migrations.AddIndex(
            model_name="impression",
            index=models.Index(fields=["user", "-created_at"], name="posts_impression_user_time"),
        ),
        migrations.AddIndex(
            model_name="impression",
            index=models.Index(fields=["created_at"], name="posts_impression_time"),
        ),
        migrations.AddIndex(
            model_name="engagement",
            index=models.Index(fields=["user", "-created_at"], name="posts_engagement_user_time"),
        ),
        migrations.AddIndex(
            model_name="engagement",
            index=models.Index(fields=["post", "kind", "-created_at"], name="posts_engagement_post_kind"),
        ),
        migrations.AddIndex(
            model_name="engagement",
            index=models.Index(fields=["created_at"], name="posts_engagement_time"),
        ),
        migrations.AddIndex(
            model_name="engagement",
            index=models.Index(
                condition=models.Q(("made_post_id__isnull", False)),
                fields=["made_post_id"],
                name="posts_engagement_made",
            ),
        ),
        migrations.AddConstraint(
            model_name="engagement",
            constraint=models.UniqueConstraint(
                condition=models.Q(("kind__in", [0, 2, 22])),
                fields=("user", "post", "kind"),
                name="posts_engagement_toggle_unique",
            ),
        ),
        migrations.AddIndex(
            model_name="bookmark",
            index=models.Index(fields=["user", "-id"], name="posts_bookmark_recent"),
        ),
        migrations.AddConstraint(
            model_name="bookmark",
            constraint=models.UniqueConstraint(fields=("user", "post"), name="posts_bookmark_unique"),
        ),
        migrations.AddIndex(
            model_name="postembedding",
            index=pgvector.django.indexes.HnswIndex(
                ef_construction=64, fields=["vector"], m=16, name="posts_embedding_hnsw", opclasses=["vector_ip_ops"]
            ),
        ),
        migrations.AddConstraint(
            model_name="postembedding",
            constraint=models.UniqueConstraint(fields=("post", "model"), name="posts_embedding_unique"),
        ),
        migrations.AddConstraint(
            model_name="posttopic",
            constraint=models.UniqueConstraint(fields=("post", "topic"), name="posts_topic_unique"),
        ),
        migrations.AddIndex(
            model_name="posttag",
            index=models.Index(fields=["post"], name="posts_tag_post"),
        ),
        migrations.AddConstraint(
            model_name="posttag",
            constraint=models.UniqueConstraint(fields=("tag", "post"), name="posts_tag_unique"),
        ),
    ]
