"""A laptop: a secret made on first use, mail and errors in the terminal."""

from xsocial.settings import secrets
from xsocial.settings.base import *
from xsocial.settings.base import DATA_DIR, env

# Off, so that the site looks and answers as it does on a server; errors are in the terminal anyway.
DEBUG = env.boolean("XSOCIAL_DEBUG", False)
# Static files straight from their sources.
WHITENOISE_AUTOREFRESH = WHITENOISE_USE_FINDERS = True
SECRET_KEY = env.text("SECRET_KEY", "") or secrets.development_key(DATA_DIR)
ALLOWED_HOSTS = env.words("ALLOWED_HOSTS", ("localhost", "127.0.0.1", "[::1]"))
INTERNAL_IPS = ["127.0.0.1"]
LOG_JSON = False
GROX_REPLY_FOLLOWER_THRESHOLD = env.integer("GROX_REPLY_FOLLOWER_THRESHOLD", 50)
# Nobody reads mail on a laptop, and the demo people have no second factor.
ACCOUNT_EMAIL_VERIFICATION = env.text("XSOCIAL_EMAIL_VERIFICATION", "optional")
STAFF_SECOND_FACTOR_REQUIRED = False
