"""All settings, from the environment and `.env` (see `.env.example`)."""

from __future__ import annotations

import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext_lazy as _

from fieldservice import embedded, env, links
from fieldservice.admin_theme import UNFOLD as UNFOLD
from fieldservice.logs import logging_config

BASE_DIR = Path(__file__).resolve().parent.parent
env.load(BASE_DIR / ".env")

# --- what this installation is -----------------------------------------------------------------------------------
DEBUG = env.flag("DEBUG")
ALLOWED_HOSTS = env.words("ALLOWED_HOSTS", "localhost,127.0.0.1,[::1]")
CSRF_TRUSTED_ORIGINS = env.words("CSRF_TRUSTED_ORIGINS")
SECRET_KEY = env.text("SECRET_KEY")
if not SECRET_KEY:
    if embedded.needed() == set():
        raise ImproperlyConfigured(
            "SECRET_KEY: not set; expected 50 or more random characters "
            "(python -c 'import secrets; print(secrets.token_urlsafe(50))')."
        )
    SECRET_KEY = embedded.secret_key()  # the demo's own, made once, kept beside its database

# --- Django ------------------------------------------------------------------------------------------------------
INSTALLED_APPS = [
    "unfold.apps.BasicAppConfig",
    "unfold.contrib.filters",
    "unfold.contrib.forms",
    "fieldservice.admin_apps.FieldServiceAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "django.contrib.humanize",
    "axes",
    "django_otp",
    "django_otp.plugins.otp_totp",
    "django_otp.plugins.otp_static",
    "fieldservice.runtime",
    "fieldservice.outbox",
    "geo",
    "staff",
    "orders",
    "finance",
    "bots",
    "fieldservice.watch",
    "fieldservice.desk",
    "fieldservice.demo",
    "fieldservice.bench",
    "fieldservice.simulation",
]
MIDDLEWARE = [
    "fieldservice.headers.SecurityHeaders",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "fieldservice.office_clock.OfficeClock",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django_otp.middleware.OTPMiddleware",
    "staff.second_factor.SecondFactor",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "axes.middleware.AxesMiddleware",
]
ROOT_URLCONF = "fieldservice.urls"
WSGI_APPLICATION = "fieldservice.wsgi.application"
TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]
DEFAULT_AUTO_FIELD = "django.db.models.AutoField"
AUTH_USER_MODEL = "staff.StaffUser"
_rules = "django.contrib.auth.password_validation"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"{_rules}.UserAttributeSimilarityValidator"},
    {"NAME": f"{_rules}.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": f"{_rules}.CommonPasswordValidator"},
    {"NAME": f"{_rules}.NumericPasswordValidator"},
]
# five wrong passwords for a login from one address close it there for a quarter of an hour
AUTHENTICATION_BACKENDS = ["axes.backends.AxesStandaloneBackend", "django.contrib.auth.backends.ModelBackend"]
AXES_FAILURE_LIMIT = 5
AXES_COOLOFF_TIME = timedelta(minutes=15)
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_LOCKOUT_CALLABLE = "staff.second_factor.locked_out"
AXES_RESET_ON_SUCCESS = True
AXES_ENABLE_ADMIN = False
AXES_DISABLE_ACCESS_LOG = True
AXES_VERBOSE = False
OTP_TOTP_ISSUER = "Field Service"
# sessions know their member, so that each can see and end their own; twelve idle hours end one
SESSION_ENGINE = "staff.sessions"
SESSION_COOKIE_AGE = 12 * 3600
LOGIN_URL = "admin:login"
LOGIN_REDIRECT_URL = "admin:index"

# --- PostgreSQL and Redis: real servers by URL, else the embedded ones ------------------------------------------
# JIT pays off in reports that run for seconds; it costs 40 ms in every dispatch batch. With less memory than this the
# average checks of 40,000 masters go through a temporary file
DATABASES = {"default": links.watched(env.database(embedded.database), jit="off", work_mem="16MB")}
if _replica := env.database(dict, "REPLICA_DATABASE_URL"):  # exports are read there
    DATABASES["replica"] = links.watched(_replica, jit="off", work_mem="16MB", default_transaction_read_only="on")
_redis = env.url("REDIS_URL", "", "redis", "rediss")
REDIS_FSM_URL = _redis or embedded.redis_url(1)
# a Redis that is away, or takes connections and never answers, must not hold up the people who wait for an answer
REDIS_TIMEOUTS = {"socket_connect_timeout": 2, "socket_timeout": 3}
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": _redis or embedded.redis_url(2),
        "OPTIONS": REDIS_TIMEOUTS,
    }
}
CELERY_BROKER_URL = _redis or embedded.celery_url(0)
CELERY_BROKER_TRANSPORT_OPTIONS = links.BROKER
# of a wake-up, which the tick makes up for: no retries (they took 6 s of the web request that created an order)
WAKE_TRANSPORT_OPTIONS = {"max_retries": 0, **REDIS_TIMEOUTS}
CELERY_TASK_IGNORE_RESULT = True
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_TIMEZONE = "UTC"
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_TASK_TIME_LIMIT = 300
# the timetable is code and the rows are the queue: there is nothing to remember between starts
CELERY_BEAT_SCHEDULER = "celery.beat:Scheduler"
# what waits for other people's servers has a worker of its own: an offer never waits behind a geocoder
CELERY_TASK_ROUTES = {"orders.tasks.geocode": {"queue": "slow"}}
CELERY_DB_REUSE_MAX = 100  # else the prefork worker opens a new connection for every task

# --- language and time -------------------------------------------------------------------------------------------
LANGUAGE_CODE = env.choice("LANGUAGE_CODE", "ru", "ru", "en")
LANGUAGES = [("ru", _("Russian")), ("en", _("English"))]
LOCALE_PATHS = [BASE_DIR / "locale"]
USE_I18N = USE_TZ = True
TIME_ZONE = "UTC"
FORMAT_MODULE_PATH = ["fieldservice.formats"]
TIMEZONE = env.zone("TIMEZONE", "Europe/Moscow")  # cities without a zone of their own

# --- files -------------------------------------------------------------------------------------------------------
STATIC_URL = "static/"
WHITENOISE_USE_FINDERS = DEBUG or "postgres" in embedded.needed()  # the demo runs without collectstatic
STATIC_ROOT = BASE_DIR / "staticfiles"
STATICFILES_DIRS = [BASE_DIR / "static"]
if WHITENOISE_USE_FINDERS:
    STATIC_ROOT.mkdir(exist_ok=True)  # else whitenoise warns at every start
MEDIA_ROOT = BASE_DIR / "media"

# --- Telegram ----------------------------------------------------------------------------------------------------
MASTER_BOT_TOKEN = env.token("MASTER_BOT_TOKEN")
ADMIN_BOT_TOKEN = env.token("ADMIN_BOT_TOKEN")
TELEGRAM_API_URL = env.url("TELEGRAM_API_URL", "https://api.telegram.org", "http", "https").rstrip("/")
WEBHOOK_URL = env.url("WEBHOOK_URL", "", "https", "http")
WEBHOOK_SECRET = env.webhook_secret("WEBHOOK_SECRET")
GLOBAL_ADMINS_TG_IDS = env.ids("GLOBAL_ADMINS_TG_IDS")
LOGS_CHANNEL_ID = env.chat("LOGS_CHANNEL_ID")
ALERTS_CHANNEL_ID = env.chat("ALERTS_CHANNEL_ID")
REPORTS_CHANNEL_ID = env.chat("REPORTS_CHANNEL_ID")

# --- defaults of the settings table (fieldservice.runtime.registry) ----------------------------------------------
WEB_URL = env.url("WEB_URL", "http://localhost:8000", "http", "https")
HEARTBEAT_SECONDS = env.integer("HEARTBEAT_SECONDS", 60, 1, 3600)
DISTRIBUTION_TICK_SECONDS = env.integer("DISTRIBUTION_TICK_SECONDS", 30, 1, 600)
DISTRIBUTION_SLA_SECONDS = env.integer("DISTRIBUTION_SLA_SECONDS", 120, 5, 3600)
DISTRIBUTION_ROUNDS = env.integer("DISTRIBUTION_ROUNDS", 2, 1, 20)
COMMISSION_DEADLINE_HOURS = env.integer("COMMISSION_DEADLINE_HOURS", 3, 1, 168)
GUARANTEE_COMPANY_PAYMENT = env.money("GUARANTEE_COMPANY_PAYMENT", "2500")
WORKDAY_START = env.clock("WORKDAY_START", "10:00")
WORKDAY_END = env.clock("WORKDAY_END", "20:00")
ASAP_LATE_THRESHOLD = env.clock("ASAP_LATE_THRESHOLD", "19:30")
if WORKDAY_START >= WORKDAY_END:
    raise ImproperlyConfigured("WORKDAY_START: must be earlier than WORKDAY_END.")
ACCESS_CODE_TTL_HOURS = env.integer("ACCESS_CODE_TTL_HOURS", 24, 1, 720)
OVERDUE_WATCHDOG_MIN = env.integer("OVERDUE_WATCHDOG_MIN", 10, 1, 60)

YANDEX_GEOCODER_URL = env.url("YANDEX_GEOCODER_URL", "https://geocode-maps.yandex.ru", "https", "http")

# --- operations --------------------------------------------------------------------------------------------------
BACKUP_DIR = env.text("BACKUP_DIR", "backups")
METRICS_TOKEN = env.text("METRICS_TOKEN")
SENTRY_DSN = env.url("SENTRY_DSN", "", "https", "http")
REQUIRE_2FA = env.flag("REQUIRE_2FA")
LOG_LEVEL = env.choice("LOG_LEVEL", "INFO", "DEBUG", "INFO", "WARNING", "ERROR")
LOGGING = logging_config(LOG_LEVEL)

# --- security: strict unless this is the local demo ---------------------------------------------------------------
SESSION_COOKIE_HTTPONLY = True
X_FRAME_OPTIONS = "DENY"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
if not DEBUG and "postgres" not in embedded.needed():
    SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = True
    SECURE_SSL_REDIRECT = env.flag("SECURE_SSL_REDIRECT", True)
    SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$"]  # load balancers ask by plain HTTP
    SECURE_HSTS_SECONDS = 31_536_000
    SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = True
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

if SENTRY_DSN and "pytest" not in sys.modules:
    import sentry_sdk

    from fieldservice.sentry import options

    sentry_sdk.init(dsn=SENTRY_DSN, **options())
