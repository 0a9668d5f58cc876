"""Template vocabulary that knows no more than people."""
