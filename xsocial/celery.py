"""The Celery application: `celery -A xsocial worker`, `celery -A xsocial beat`.

An app's `tasks` module declares its tasks, and what beat should start in a dict `BEAT` of Celery
schedule entries; both are picked up from here. Queues are chosen by task name in the settings.
"""

import importlib
import os
from importlib.util import find_spec
from typing import Any

from celery import Celery
from celery.signals import setup_logging, worker_init
from kombu import Queue

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "xsocial.settings.production")

from django.conf import settings

app = Celery("xsocial")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.conf.task_queues = [Queue(name) for name in settings.CELERY_QUEUES]
app.autodiscover_tasks()


@setup_logging.connect
def keep_our_logging(**kwargs: Any) -> None:
    """Django has configured structured logs; having a receiver here stops Celery replacing them."""


@worker_init.connect
def leave_old_tables_alone(**kwargs: Any) -> None:
    """No worker starts on a database that is older than the code."""
    from xsocial import tables

    tables.require_current()


@app.on_after_finalize.connect
def collect_schedules(sender: Celery, **kwargs: Any) -> None:
    """Gather the `BEAT` dicts of the apps. Names must not collide between apps."""
    for name in settings.LOCAL_APPS:
        if find_spec(f"{name}.tasks"):
            entries = getattr(importlib.import_module(f"{name}.tasks"), "BEAT", {})
            sender.conf.beat_schedule = {**sender.conf.beat_schedule, **entries}
