"""Builders for valid objects. People and posts are made as the services would make them.

author = UserFactory()
post = PostFactory(author=author, text="Morning")
reply = PostFactory(in_reply_to=post)
FollowFactory(follower=viewer, followee=author)
"""

import io
from typing import Any

import factory
from django.contrib.auth.models import Permission
from PIL import Image

from accounts import services as accounts
from accounts.models import Follow, StarterPack, Topic, User
from posts import services as posts
from posts.models import Media, Post

PASSWORD = "correct-horse-battery"


class UserFactory(factory.django.DjangoModelFactory):
    """A reachable account whose password is PASSWORD."""

    class Meta:
        model = User
        skip_postgeneration_save = True

    username = factory.Sequence(lambda n: f"person{n}")
    email = factory.LazyAttribute(lambda user: f"{user.username}@example.com")
    display_name = factory.LazyAttribute(lambda user: user.username.title())

    @classmethod
    def _create(cls, model_class: type[User], *args: Any, **kwargs: Any) -> User:
        return model_class.objects.create_user(*args, **{"password": PASSWORD, **kwargs})


class ModeratorFactory(UserFactory):
    """Staff with the permission to moderate."""

    is_staff = True

    @factory.post_generation
    def permission(self, create: bool, extracted: None, **kwargs: Any) -> None:
        self.user_permissions.add(Permission.objects.get(codename="moderate"))


class PostFactory(factory.Factory):
    """A post through `create_post`, so that counters, mentions and events are there."""

    class Meta:
        model = Post

    author = factory.SubFactory(UserFactory)
    text = factory.Sequence(lambda n: f"Something worth saying, number {n}.")

    @classmethod
    def _create(cls, model_class: type[Post], *args: Any, **kwargs: Any) -> Post:
        return posts.create_post(**kwargs)


class FollowFactory(factory.Factory):
    """An edge through `follow`; the followed account must not be locked."""

    class Meta:
        model = Follow

    follower = factory.SubFactory(UserFactory)
    followee = factory.SubFactory(UserFactory)

    @classmethod
    def _create(cls, model_class: type[Follow], *args: Any, **kwargs: Any) -> Follow:
        accounts.follow(**kwargs)
        return model_class.objects.get(follower=kwargs["follower"], followee=kwargs["followee"])


class TopicFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Topic

    slug = factory.Sequence(lambda n: f"topic-{n}")
    name = factory.Sequence(lambda n: f"Topic {n}")


class StarterPackFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = StarterPack

    slug = factory.Sequence(lambda n: f"pack-{n}")
    name = factory.Sequence(lambda n: f"Pack {n}")
    creator = factory.SubFactory(UserFactory)


class MediaFactory(factory.Factory):
    """An uploaded picture that no post has yet."""

    class Meta:
        model = Media

    owner = factory.SubFactory(UserFactory)
    alt_text = "A square"

    @classmethod
    def _create(cls, model_class: type[Media], *args: Any, **kwargs: Any) -> Media:
        return posts.upload_media(file=picture(), **kwargs)


def picture(size: tuple[int, int] = (64, 48), format: str = "PNG", color: str = "teal", **options: Any) -> io.BytesIO:
    """The bytes of a small sound picture, as an open file."""
    buffer = io.BytesIO()
    Image.new("RGB", size, color).save(buffer, format, **options)
    buffer.seek(0)
    return buffer
