"""The WSGI application: pages and API, for servers that keep websockets in a process of their own."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "xsocial.settings.production")

application = get_wsgi_application()
