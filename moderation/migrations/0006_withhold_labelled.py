from django.db import migrations

# Labels that close a post's door were put on posts before there was a door to close.
WITHHOLD = """
UPDATE posts_post p SET withheld_until = l.until
  FROM (SELECT post_id, max(coalesce(expires_at, '9999-01-01T00:00:00Z')) AS until
          FROM moderation_postlabel
         WHERE label IN ('PDNA', 'CHILD_SAFETY', 'SPAM') AND lifted_at IS NULL
         GROUP BY post_id) l
 WHERE p.id = l.post_id AND p.withheld_until IS NULL
"""


class Migration(migrations.Migration):
    dependencies = [
        ("moderation", "0005_stream_names"),
        ("posts", "0003_withholding_and_fingerprints"),
    ]

    operations = [
        migrations.RunSQL(WITHHOLD, migrations.RunSQL.noop),
    ]
