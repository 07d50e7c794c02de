"""Configure the admin site of the project."""

from django.contrib.admin.apps import AdminConfig


class SiteConfig(AdminConfig):
    """Django's admin with ``config.site.Site``."""

    default_site = "config.site.Site"
