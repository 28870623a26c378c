"""The desk as a Django app: its templates and static files are found through it."""

from django.apps import AppConfig


class DeskConfig(AppConfig):
    name = "fieldservice.desk"
    label = "desk"
