"""The test suite: throw-away stores on free ports, quick hashing, mail in memory.

tests/conftest.py starts what these settings point at. Naming XSOCIAL_PG_PORT uses services that
already run. Parallel workers inherit the ports and take a block of Valkey databases each.
"""

import socket
import tempfile
from pathlib import Path

from xsocial.settings import base, env, stores
from xsocial.settings.base import *


def free_port() -> int:
    """A TCP port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def worker_number() -> int:
    """The number of this pytest-xdist worker; 0 when there is only one process."""
    return int(env.text("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))


DEBUG = False
SECRET_KEY = "only-for-tests-" + "x" * 50
ALLOWED_HOSTS = ["testserver", "localhost", "127.0.0.1"]
DATA_DIR = env.path("XSOCIAL_DATA_DIR", Path(tempfile.gettempdir()) / f"xsocial-test-{free_port()}")
MEDIA_ROOT = DATA_DIR / f"test_media_{worker_number()}"
PG_PORT = env.port("XSOCIAL_PG_PORT", free_port())
KV_PORT = env.port("XSOCIAL_KV_PORT", free_port())

if stores.EMBEDDED_PG:
    DATABASES = {"default": stores.embedded_database(DATA_DIR, PG_PORT)}
if stores.EMBEDDED_KV:
    base.REDIS_BASE = REDIS_BASE = f"redis://127.0.0.1:{KV_PORT}"
REDIS_DB_OFFSET = 8 * (1 + worker_number())
CACHES = {"default": {**base.CACHES["default"], "LOCATION": base.redis_url("cache", REDIS_DB_OFFSET)}}
CHANNEL_LAYERS = {
    "default": {
        "BACKEND": "channels_redis.core.RedisChannelLayer",
        "CONFIG": {"hosts": [base.redis_url("channels", REDIS_DB_OFFSET)]},
    }
}
CELERY_BROKER_URL = base.redis_url("broker", REDIS_DB_OFFSET)
CELERY_RESULT_BACKEND = base.redis_url("results", REDIS_DB_OFFSET)

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
ACCOUNT_EMAIL_VERIFICATION = "optional"
AXES_ENABLED = False
STAFF_SECOND_FACTOR_REQUIRED = False
ACCOUNT_RATE_LIMITS = False
LOG_LEVEL = env.text("XSOCIAL_LOG_LEVEL", "WARNING")
LOG_JSON = False
# Static files straight from their sources.
WHITENOISE_AUTOREFRESH = WHITENOISE_USE_FINDERS = True
# In the calling thread: a test's transaction is seen by its own connection alone.
FEED_POOL_SIZE = 0
FEED_EMBEDDED_THUNDER = False
