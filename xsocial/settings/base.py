"""Everything the environments share. Each option has its reason in the line above it."""

import os
from pathlib import Path

from xsocial.kernel.scopes import SCOPES
from xsocial.settings import build, env, stores

BASE_DIR = env.BASE_DIR
# Everything a process may write: clusters, logs, pictures, models, the development secret.
DATA_DIR = stores.DATA_DIR
# What receipts name as the code that made a page.
BUILD = env.text("XSOCIAL_BUILD", "") or build.of(BASE_DIR)
# Threads of one matrix product sleep while they wait for one another. Spinning, they take the core from
# whoever they wait for as soon as anything else runs: training on two threads was ten times slower then.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

# --- Applications -----------------------------------------------------------------------------

LOCAL_APPS = ["accounts", "posts", "feed", "ranking", "moderation", "ads"]
INSTALLED_APPS = [
    "xsocial.admin_site.OperatorsConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.humanize",
    "django.contrib.messages",
    "django.contrib.postgres",
    "django.contrib.sessions",
    # Before staticfiles, so that `runserver` leaves static files to WhiteNoise too.
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "axes",
    "channels",
    "csp",
    "django_filters",
    "django_htmx",
    "django_prometheus",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "oauth2_provider",
    "rest_framework",
    "xsocial.apps.ProjectConfig",
    "xsocial.kernel",
    *LOCAL_APPS,
]
MIDDLEWARE = [
    "django_prometheus.middleware.PrometheusBeforeMiddleware",
    # The request id comes first, so that every later log line carries it.
    "xsocial.middleware.RequestIdMiddleware",
    "xsocial.middleware.ClientAddressMiddleware",
    "xsocial.middleware.DatabaseDownMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "xsocial.middleware.TimeZoneMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "csp.middleware.CSPMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "xsocial.middleware.StaffSecondFactorMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    # Inside htmx, so that it knows whether a script or a person gets the message.
    "xsocial.page_errors.PageErrorMiddleware",
    "xsocial.api.throttling.RateLimitHeadersMiddleware",
    # Axes asks to be last: it turns a locked-out log-in into its answer.
    "axes.middleware.AxesMiddleware",
    "django_prometheus.middleware.PrometheusAfterMiddleware",
]
ROOT_URLCONF = "xsocial.urls"
ASGI_APPLICATION = "xsocial.asgi.application"
WSGI_APPLICATION = "xsocial.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
    # Posts and their buttons; see `part` in accounts/templatetags/ui.py.
    {
        "BACKEND": "django.template.backends.jinja2.Jinja2",
        "DIRS": [BASE_DIR / "templates" / "jinja"],
        "OPTIONS": {
            "environment": "xsocial.jinja.environment",
            "context_processors": ["django.contrib.auth.context_processors.auth"],
        },
    },
]

# --- Stores -----------------------------------------------------------------------------------

# Set by the launcher of an ASGI process; everything else keeps one connection per thread. Eight pages
# at once take a connection each; the threads of the feed's pools, ten by default, keep theirs.
DB_POOLED = env.boolean("XSOCIAL_DB_POOL", False)
DATABASES = {"default": stores.database(pooled=DB_POOLED, pool_size=env.integer("XSOCIAL_DB_POOL_SIZE", 20, minimum=2))}

# One Valkey, a numbered database per use; the offset lets parallel test workers share a server.
REDIS_DB_OFFSET = 0
REDIS_BASE = stores.redis_base()
REDIS_NUMBERS = {"broker": 0, "results": 1, "cache": 2, "channels": 3, "events": 4}
# A dead Valkey must cost a request little: pages work without it.
REDIS_TIMEOUT_S = 2.0


def redis_url(use: str, offset: int = 0) -> str:
    """The address of the numbered Valkey database for one use."""
    return f"{REDIS_BASE}/{REDIS_NUMBERS[use] + offset}"


CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": redis_url("cache"),
        "OPTIONS": {"socket_connect_timeout": REDIS_TIMEOUT_S, "socket_timeout": REDIS_TIMEOUT_S},
    }
}
CHANNEL_LAYERS = {
    "default": {
        "BACKEND": "channels_redis.core.RedisChannelLayer",
        "CONFIG": {"hosts": [redis_url("channels")]},
    }
}
# Sessions live in PostgreSQL: a lost Valkey signs nobody out.
SESSION_ENGINE = "xsocial.kernel.sessions"

# The event log: the stream and how long its rows stay replayable.
EVENT_STREAM = "xsocial:events"
EVENT_RETENTION_HOURS = env.integer("XSOCIAL_EVENT_RETENTION_HOURS", 48, minimum=1)

# --- Background work --------------------------------------------------------------------------

CELERY_BROKER_URL = redis_url("broker")
CELERY_RESULT_BACKEND = redis_url("results")
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_SERIALIZER = CELERY_RESULT_SERIALIZER = "json"
CELERY_RESULT_EXPIRES = 3600
CELERY_TASK_DEFAULT_QUEUE = "default"
CELERY_QUEUES = [
    "default",
    "media",
    "grox.realtime",
    "grox.safety",
    "grox.embed",
    "grox.media",
    "grox.asr",
    "grox.recovery",
    "training",
]
# The first pattern that fits a task's name decides; the others go to the default queue.
CELERY_TASK_ROUTES = {
    "posts.tasks.*media*": {"queue": "media"},
    "moderation.recover": {"queue": "grox.recovery"},
    "moderation.read_media": {"queue": "grox.media"},
    "moderation.*": {"queue": "grox.realtime"},
    "ranking.tasks.train_*": {"queue": "training"},
}
# Grox: which of its sinks write here.
GROX_DEPLOYMENT = env.choice(
    "GROX_DEPLOYMENT", "all", among={"all", "local", "dev", "prod", "embedding_prod", "ptos_prod"}
)
# Replies to authors with more followers are ranked, the others screened for spam. A small site wants a small number.
GROX_REPLY_FOLLOWER_THRESHOLD = env.integer("GROX_REPLY_FOLLOWER_THRESHOLD", 60_000)
# A chat endpoint in place of the embedded models, if there is one.
GROX_LLM_URL = env.text("GROX_LLM_URL", "")
GROX_LLM_KEY = env.text("GROX_LLM_KEY", "")
GROX_LLM_MODEL = env.text("GROX_LLM_MODEL", "default")
GROX_LLM_TIMEOUT_S = env.integer("GROX_LLM_TIMEOUT_S", 20, minimum=1)
# A folder with a speech model in CTranslate2's format, in place of the one that `make media` installs.
GROX_ASR_MODEL = env.text("XSOCIAL_ASR_MODEL", "")
GROX_LLM_CALLS_PER_DAY = env.integer("GROX_LLM_CALLS_PER_DAY", 10_000)
# A killed worker's task is done again by another; tasks are idempotent.
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_BROKER_TRANSPORT_OPTIONS = {"visibility_timeout": 3600}
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_TIMEZONE = "UTC"

# --- People -----------------------------------------------------------------------------------

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = [
    # First, so that a locked-out name is refused before a password is looked at.
    "axes.backends.AxesStandaloneBackend",
    "django.contrib.auth.backends.ModelBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
ACCOUNT_LOGIN_METHODS = {"username", "email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "username*", "password1*", "password2*"]
ACCOUNT_UNIQUE_EMAIL = True
# Answer the same whether or not an address is known here.
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_EMAIL_VERIFICATION = env.text("XSOCIAL_EMAIL_VERIFICATION", "mandatory")
ACCOUNT_EMAIL_SUBJECT_PREFIX = "[xsocial] "
ACCOUNT_LOGOUT_REDIRECT_URL = "/"
ACCOUNT_SIGNUP_REDIRECT_URL = "/welcome"
ACCOUNT_ADAPTER = "accounts.entrance.AccountAdapter"
ACCOUNT_FORMS = {
    "add_email": "accounts.entrance.AddEmailForm",
    "change_password": "accounts.entrance.ChangePasswordForm",
    "login": "accounts.entrance.LoginForm",
    "reauthenticate": "accounts.entrance.ReauthenticateForm",
    "reset_password": "accounts.entrance.ResetPasswordForm",
    "reset_password_from_key": "accounts.entrance.ResetPasswordKeyForm",
    "signup": "accounts.entrance.SignupForm",
}
# One address each; a new one takes the place of the old when it is confirmed.
ACCOUNT_CHANGE_EMAIL = True
# Whoever finds a browser signed in must not take the account over by its address.
ACCOUNT_REAUTHENTICATION_REQUIRED = True
# How long a closed account can be taken back.
ACCOUNT_GRACE_DAYS = env.integer("XSOCIAL_ACCOUNT_GRACE_DAYS", 30, maximum=3650)
# The owner hears by mail of a new password, address or second factor.
ACCOUNT_EMAIL_NOTIFICATIONS = True
ACCOUNT_RATE_LIMITS: dict[str, str] | bool = {
    "confirm_email": "1/m/key",
    # Axes counts by account and address; this holds up those who try many accounts, or from many addresses.
    "login_failed": "20/m/ip,60/h/key",
}
ACCOUNT_USERNAME_VALIDATORS = "accounts.entrance.USERNAME_VALIDATORS"
# Whoever signs up with one of these would pass for us.
ACCOUNT_USERNAME_BLACKLIST = [
    "admin",
    "administrator",
    "everyone",
    "help",
    "moderation",
    "moderator",
    "official",
    "root",
    "security",
    "staff",
    "support",
    "system",
    "xsocial",
]
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes"]
MFA_TOTP_ISSUER = "xsocial"
# A code stays good for half a minute more: clocks differ, and people type slowly.
MFA_TOTP_TOLERANCE = 1
# Where nobody signs in without a confirmed address, no second factor can lock out the owner of an unconfirmed one; so
# people with a second factor change their address like everybody else.
MFA_ALLOW_UNVERIFIED_EMAIL = ACCOUNT_EMAIL_VERIFICATION == "mandatory"
MFA_ADAPTER = "accounts.entrance.MFAAdapter"
MFA_FORMS = {
    "activate_totp": "accounts.entrance.ActivateTOTPForm",
    "authenticate": "accounts.entrance.AuthenticateForm",
    "reauthenticate": "accounts.entrance.ReauthenticateByCodeForm",
}
# Staff must have a second factor before the admin opens to them.
STAFF_SECOND_FACTOR_REQUIRED = True

# Five wrong passwords for an account from one address close that pair for a quarter of an hour.
AXES_FAILURE_LIMIT = 5
AXES_COOLOFF_TIME = 0.25
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_USERNAME_CALLABLE = "accounts.entrance.account_tried"
AXES_LOCKOUT_TEMPLATE = "account/locked_out.html"
# The quarter begins with the fifth wrong password; trying again does not make it longer.
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False
AXES_RESET_ON_SUCCESS = True
AXES_ENABLE_ACCESS_FAILURE_LOG = False
AXES_VERBOSE = False

# What the demo world's people sign in with; they exist only where `seed_world` ran.
DEMO_PASSWORD = env.text("XSOCIAL_DEMO_PASSWORD", "demo-password")
# Staff with that password, for the admin and the moderators' desk of a laptop.
DEMO_OPERATOR = "operator"

# --- API --------------------------------------------------------------------------------------

OAUTH2_PROVIDER = {
    "SCOPES": SCOPES,
    "DEFAULT_SCOPES": ["read"],
    # Of public clients; see the validator for those that keep a secret.
    "PKCE_REQUIRED": True,
    # The rules of RFC 9700, each enforced: no implicit and no password grant, S256 only, tokens in
    # headers only and stored as hashes, `iss` in answers, a replayed refresh token ends its family.
    "COMPLIANT_BCP_RFC9700_IMPLICIT_GRANT": True,
    "COMPLIANT_BCP_RFC9700_PASSWORD_GRANT": True,
    "COMPLIANT_BCP_RFC9700_PKCE_METHOD": True,
    "COMPLIANT_BCP_RFC9700_ACCESS_TOKEN_TRANSPORT": True,
    "COMPLIANT_BCP_RFC9700_AUTHZ_RESPONSE_ISS": True,
    "COMPLIANT_BCP_RFC9700_TOKEN_STORAGE": True,
    "REFRESH_TOKEN_REUSE_PROTECTION": True,
    "OAUTH2_VALIDATOR_CLASS": "xsocial.oauth.Validator",
    "ACCESS_TOKEN_EXPIRE_SECONDS": 30 * 24 * 3600,
    "REFRESH_TOKEN_EXPIRE_SECONDS": 90 * 24 * 3600,
    "ROTATE_REFRESH_TOKEN": True,
    "ALLOWED_REDIRECT_URI_SCHEMES": ["https", "http", "urn"],
}
# Apps on a person's own machine are called back at http://127.0.0.1 (RFC 8252).
SILENCED_SYSTEM_CHECKS = ["oauth2_provider.W008"]
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "oauth2_provider.contrib.rest_framework.OAuth2Authentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticatedOrReadOnly"],
    "DEFAULT_THROTTLE_CLASSES": ["xsocial.api.throttling.RateLimitThrottle"],
    "DEFAULT_PARSER_CLASSES": [
        "xsocial.kernel.rest.parsers.JSONParser",
        "rest_framework.parsers.FormParser",
        "rest_framework.parsers.MultiPartParser",
    ],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "xsocial.api.errors.exception_handler",
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
    "UNAUTHENTICATED_USER": "django.contrib.auth.models.AnonymousUser",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "xsocial API",
    "DESCRIPTION": "The Mastodon dialect, and our own resources beside it.",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "COMPONENT_SPLIT_REQUEST": True,
    "OAUTH2_FLOWS": ["authorizationCode", "clientCredentials"],
    "OAUTH2_AUTHORIZATION_URL": "/oauth/authorize",
    "OAUTH2_TOKEN_URL": "/oauth/token",
    "OAUTH2_SCOPES": SCOPES,
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "feed.streaming.schema.add_streams",
    ],
}

# --- Security ---------------------------------------------------------------------------------

# No inline script or style anywhere: pages are plain HTML, one stylesheet and small modules.
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'self'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "img-src": ["'self'", "data:", "blob:"],
        "media-src": ["'self'", "blob:"],
        "connect-src": ["'self'"],
        "font-src": ["'self'"],
        "object-src": ["'none'"],
        "base-uri": ["'none'"],
        "form-action": ["'self'"],
        "frame-ancestors": ["'none'"],
    }
}
# Number of our own reverse proxies in front; see ClientAddressMiddleware.
PROXY_COUNT = 0
X_FRAME_OPTIONS = "DENY"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
# A post is short; an upload is checked by its own, larger limit.
DATA_UPLOAD_MAX_MEMORY_SIZE = 2_621_440
# Who may read /metrics from elsewhere than this machine: the bearer of this token.
METRICS_TOKEN = env.text("XSOCIAL_METRICS_TOKEN", "")
METRICS_DIR = DATA_DIR / "metrics"
# Processes that serve no pages keep what they count in files there, which web reads.
if _counted_in := env.text("PROMETHEUS_MULTIPROC_DIR", ""):
    Path(_counted_in).mkdir(parents=True, exist_ok=True)

# --- Files ------------------------------------------------------------------------------------

STATIC_URL = "/static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
STATIC_ROOT = env.path("XSOCIAL_STATIC_ROOT", BASE_DIR / "staticfiles")
MEDIA_URL = "/media/"
MEDIA_ROOT = env.path("XSOCIAL_MEDIA_ROOT", DATA_DIR / "media")

# --- Language and time ------------------------------------------------------------------------

# The pages are written in English alone. Half a page in the reader's language, that of the libraries,
# would be read out in the wrong voice; so what a browser asks for is not looked at.
LANGUAGE_CODE = "en"
USE_I18N = False
USE_TZ = True
TIME_ZONE = "UTC"

# --- Mail -------------------------------------------------------------------------------------

EMAIL_BACKEND = "django.core.mail.backends.console.EmailBackend"
DEFAULT_FROM_EMAIL = SERVER_EMAIL = env.text("XSOCIAL_FROM_EMAIL", "xsocial <no-reply@localhost>")

# --- Logs -------------------------------------------------------------------------------------

LOG_LEVEL = env.text("XSOCIAL_LOG_LEVEL", "INFO")
LOG_JSON = True
# Configured by the kernel's app when Django is ready; see xsocial/kernel/logging.py.
LOGGING_CONFIG = None

# --- Other processes --------------------------------------------------------------------------

# Where Thunder and Phoenix answer over gRPC, or Thunder on a socket:/path; empty means inside this process.
THUNDER_TARGET = env.text("THUNDER_TARGET", "")
PHOENIX_TARGET = env.text("PHOENIX_TARGET", "")
# What gRPC callers show as a bearer token; empty means that only this machine may call.
RPC_TOKEN = env.text("XSOCIAL_RPC_TOKEN", "")
# PEM files: what our gRPC servers show, and whose signature our clients trust. Empty: no TLS.
RPC_TLS_CERT = env.text("XSOCIAL_RPC_TLS_CERT", "")
RPC_TLS_KEY = env.text("XSOCIAL_RPC_TLS_KEY", "")
RPC_TLS_CA = env.text("XSOCIAL_RPC_TLS_CA", "")

# --- Feed -------------------------------------------------------------------------------------

# Sizes of the Home Mixer: "upstream" are the published ones, "small_platform" suit one machine.
FEED_PROFILE = env.text("XSOCIAL_FEED_PROFILE", "small_platform")
# Country and region of addresses: a database in MaxMind's format; empty means that nobody is located.
GEOIP_DATABASE = env.text("XSOCIAL_GEOIP_DATABASE", "")
# Threads that run a page's stages side by side; 0 runs them in the calling thread.
FEED_POOL_SIZE = env.integer("XSOCIAL_FEED_POOL_SIZE", 8, minimum=0)
# Whether a server process keeps recent posts in memory when THUNDER_TARGET names nobody.
FEED_EMBEDDED_THUNDER = env.boolean("XSOCIAL_FEED_EMBEDDED_THUNDER", True)
