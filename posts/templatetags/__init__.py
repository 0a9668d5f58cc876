"""Template vocabulary that knows posts."""
