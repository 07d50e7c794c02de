"""The configuration of the app."""

from django.apps import AppConfig


class ProfilesConfig(AppConfig):
    """What is known about people, and the only code that writes it."""

    name = "profiles"
    verbose_name = "People"
    default_auto_field = "django.db.models.BigAutoField"
