"""The configuration of the app."""

from django.apps import AppConfig


class ImportsConfig(AppConfig):
    """Import files into profiles."""

    name = "imports"
    verbose_name = "Imports"
    default_auto_field = "django.db.models.BigAutoField"
