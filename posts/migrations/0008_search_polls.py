from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.contrib.postgres.search import SearchVector
from django.db import migrations


class Migration(migrations.Migration):
    """Search looks into the options of polls too. The new index is there before the old one goes; posts go on."""

    atomic = False

    dependencies = [("posts", "0007_tags_kept_out")]

    operations = [
        AddIndexConcurrently(
            model_name="post",
            index=GinIndex(
                SearchVector("spoiler_text", "text", "poll_text", config="simple"),
                name="posts_post_words",
            ),
        ),
        RemoveIndexConcurrently(model_name="post", name="posts_post_search"),
    ]
