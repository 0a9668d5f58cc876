"""Reporting over REST."""
