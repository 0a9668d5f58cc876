"""Models that turn a post into a vector."""
