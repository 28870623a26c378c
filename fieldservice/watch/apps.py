from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class WatchConfig(AppConfig):
    name = "fieldservice.watch"
    verbose_name = _("Watch")

    def ready(self) -> None:
        from fieldservice.watch import jobs  # noqa: F401, PLC0415 - listens to Celery
