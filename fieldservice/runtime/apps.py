from django.apps import AppConfig
from django.core import checks
from django.utils.translation import gettext_lazy as _


class RuntimeConfig(AppConfig):
    name = "fieldservice.runtime"
    verbose_name = _("System")

    def ready(self) -> None:
        import fieldservice.celery  # noqa: F401, PLC0415 - tasks need the application, which needs the settings
        from fieldservice.lib.pg.checks import check_enum_labels  # noqa: PLC0415 - needs the app registry

        checks.register(check_enum_labels, checks.Tags.database)
