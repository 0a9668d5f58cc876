"""Pages that show posts: threads, profiles, notifications, search, and what one does to a post."""
