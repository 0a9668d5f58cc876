"""One ASGI application on one port: pages, API and websockets."""

import os

# Before the settings load: under ASGI connections come from a pool (see settings/stores.py).
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "xsocial.settings.production")
os.environ.setdefault("XSOCIAL_DB_POOL", "1")

from django.core.asgi import get_asgi_application

# First: it loads the apps, which the consumers import from.
http = get_asgi_application()

from feed import rehearsal, services  # noqa: E402
from xsocial import tables  # noqa: E402
from xsocial.routing import routed  # noqa: E402

tables.require_current()
# Before the first request: the pipelines, Thunder's thread unless another process has it, and a page.
services.warm_up()
rehearsal.begin()

application = routed(http)
