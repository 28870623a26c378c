"""Puts our admin site in the place of Django's."""

from django.contrib.admin.apps import AdminConfig


class FieldServiceAdminConfig(AdminConfig):
    default_site = "fieldservice.site.FieldServiceSite"
