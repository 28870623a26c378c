"""WSGI entry: `gunicorn fieldservice.wsgi`."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "fieldservice.settings")
application = get_wsgi_application()
