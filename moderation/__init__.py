"""Moderation: what posts are found to hold, what follows from it, and who may object."""
