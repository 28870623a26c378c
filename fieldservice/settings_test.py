"""Settings for tests: the same, with cheap passwords and no surprises from a developer's own `.env`."""

import os

os.environ.setdefault("LANGUAGE_CODE", "ru")
for _name in ("DATABASE_URL", "REDIS_URL"):
    os.environ[_name] = os.environ.get("TEST_" + _name, "")
_unset = ("REPLICA_DATABASE_URL", "MASTER_BOT_TOKEN", "ADMIN_BOT_TOKEN", "SENTRY_DSN")
for _name in (*_unset, "LOGS_CHANNEL_ID", "ALERTS_CHANNEL_ID"):
    os.environ[_name] = ""

from fieldservice.settings import *  # noqa: E402, F403

SECRET_KEY = "only-for-tests-" * 5
DEBUG = False
ALLOWED_HOSTS = ["*"]
MIDDLEWARE = [name for name in MIDDLEWARE if "whitenoise" not in name]  # noqa: F405 - no collected files here
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
SECURE_SSL_REDIRECT = SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = False
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.InMemoryStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
