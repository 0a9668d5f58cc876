"""The vocabulary of topics is a tree."""

import pytest
from django.core.exceptions import ValidationError

from accounts.models import Topic

pytestmark = pytest.mark.django_db


def test_a_topic_is_never_below_itself():
    music, jazz = (Topic.objects.create(slug=name, name=name) for name in ("music-x", "jazz-x"))
    jazz.parent = music
    jazz.full_clean()
    jazz.save()
    for topic, parent in ((music, music), (music, jazz)):
        topic.parent = parent
        with pytest.raises(ValidationError, match="below itself"):
            topic.full_clean()
