"""What a request learns about its viewer before candidates are sought."""

# Ours: a page that forgets whom the viewer blocks or follows is worse than a slow one.
GRAPH_MS = 2_000
