"""The composed REST API: router, OAuth, errors and rate limits."""
