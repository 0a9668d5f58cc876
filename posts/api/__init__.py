"""REST resources of posts: statuses, media, notifications, search."""
