"""The project: settings, wiring, the kernel below every app and the supervisor beside them.

Deliberately imports nothing: `celery -A xsocial` finds `xsocial.celery` by itself, and importing
the kernel stays cheap.
"""
