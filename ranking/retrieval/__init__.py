"""Candidate vectors of recent posts: written by the indexer, searched in memory or in pgvector."""
