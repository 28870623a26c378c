from django.apps import AppConfig


class BenchConfig(AppConfig):
    """`manage.py bench`. On top of everything: it may import every app."""

    name = "fieldservice.bench"
