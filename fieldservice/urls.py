"""Addresses: the web admin, health checks."""

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.views.decorators.http import require_safe
from django.views.generic import RedirectView

from fieldservice.runtime import health
from fieldservice.watch.metrics import metrics
from staff.login_view import login_link


@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    """200 while the process answers: says nothing of the database."""
    return HttpResponse("ok\n", content_type="text/plain")


urlpatterns = [
    path("", RedirectView.as_view(pattern_name="admin:index"), name="home"),
    path("healthz", healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("metrics", metrics, name="metrics"),
    path("login/<str:token>/", login_link, name="login_link"),
    path("admin/", admin.site.urls),
]
