"""Addresses of ours in answers."""

from django.conf import settings
from django.http import HttpRequest
from django.http.request import split_domain_port


def absolute(request: HttpRequest, path: str) -> str:
    """By the name that the client used, one of ALLOWED_HOSTS; a port that is neither SITE_URL's nor ours is none."""
    site = settings.SITE_URL
    _, port = split_domain_port(request.get_host())
    known = ("", split_domain_port(site.partition("://")[2])[1], request.META["SERVER_PORT"])
    return request.build_absolute_uri(path) if port in known else site + path
