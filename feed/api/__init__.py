"""REST resources of timelines."""
