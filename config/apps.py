from django.contrib.admin.apps import AdminConfig


class AdminSiteConfig(AdminConfig):
    """Django's admin, with our site (which is imported once models are ready)."""

    default_site = "config.overview.Site"
