"""The project holds together: layers, tasks, migrations and what start-up costs."""

import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import call_command

from xsocial.celery import app

ROOT = Path(settings.BASE_DIR)


def test_the_layers_and_islands_hold():
    done = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache"], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout


@pytest.mark.django_db
def test_no_model_changed_without_a_migration():
    call_command("makemigrations", "--check", "--dry-run", verbosity=0)


def test_every_task_goes_to_a_queue_that_workers_read():
    app.loader.import_default_modules()
    app.finalize()
    tasks = {name: task for name, task in app.tasks.items() if not name.startswith("celery.")}
    queues = {name: app.amqp.router.route(task._get_exec_options(), name)["queue"].name for name, task in tasks.items()}
    assert {name: queue for name, queue in queues.items() if queue not in settings.CELERY_QUEUES} == {}


def test_beat_starts_only_tasks_that_exist():
    app.loader.import_default_modules()
    app.finalize()
    scheduled = {entry["task"] for entry in app.conf.beat_schedule.values()}
    assert scheduled - set(app.tasks) == set()


def test_processes_without_pages_do_not_load_the_model_libraries():
    program = (
        "import os, sys, django; os.environ['DJANGO_SETTINGS_MODULE'] = 'xsocial.settings.test'; django.setup();"
        "print(sorted({'torch', 'sklearn', 'sentence_transformers', 'matplotlib'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]", "the relay would need 300 MB more; see SimpleAdminConfig in the settings"
