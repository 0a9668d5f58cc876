"""Grox: content understanding. A stream of posts in, plans of small tasks, annotations and labels out."""
