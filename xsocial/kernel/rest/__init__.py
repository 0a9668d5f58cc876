"""Building blocks of the REST API that every app's `api` package may use."""
