"""The WSGI application: pages and API, for servers that keep websockets in a process of their own."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "xsocial.settings.production")

application = get_wsgi_application()

# It needs the loaded apps. Before the first request: the pipelines, Thunder's thread, and a page.
from feed import rehearsal, services  # noqa: E402

services.warm_up()
rehearsal.begin()
