from django.apps import AppConfig


class PostsConfig(AppConfig):
    name = "posts"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from accounts import events
        from posts.services import notifications

        events.follow_made.connect(notifications.on_follow, dispatch_uid="posts.follow")
        events.follow_requested.connect(notifications.on_follow_request, dispatch_uid="posts.follow_request")
        events.follow_accepted.connect(notifications.on_follow_accepted, dispatch_uid="posts.follow_accepted")
