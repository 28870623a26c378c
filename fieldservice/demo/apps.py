from django.apps import AppConfig


class DemoConfig(AppConfig):
    """Demo data and the smoke run. On top of everything: it may import every app."""

    name = "fieldservice.demo"
