"""What every app may use and nothing else: clock, ids, event log, Valkey, errors, metrics.

The kernel knows no app. It is small on purpose: a thing belongs here only when two layers need it.
"""
