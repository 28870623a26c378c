from django.apps import AppConfig


class SimulationConfig(AppConfig):
    """`manage.py simulate`. On top of everything: it may import every app."""

    name = "fieldservice.simulation"
