"""Pages about the account itself: settings, relations to others, the first steps."""
