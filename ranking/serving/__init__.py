"""Checkpoints in memory: what requests are answered with."""
