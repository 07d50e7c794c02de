"""The configuration of the app."""

from django.apps import AppConfig


class ProfilesConfig(AppConfig):
    """People, their attributes and history, and the only code that writes them."""

    name = "profiles"
    verbose_name = "People"
    default_auto_field = "django.db.models.BigAutoField"
