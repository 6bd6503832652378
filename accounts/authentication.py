"""Who calls: the account of an X-API-Key, whoever has the server's API_TOKEN, or who is signed in on the site."""

import secrets
from copy import copy

from django.conf import settings
from django.http import HttpRequest, QueryDict
from django_ratelimit import ALL
from django_ratelimit.core import get_usage
from rest_framework.authentication import BaseAuthentication, SessionAuthentication
from rest_framework.exceptions import AuthenticationFailed, NotAuthenticated, PermissionDenied
from rest_framework.request import Request

from accounts.models import ApiKey, User
from accounts.rate import check_usage

# What `request.auth` is for a caller with the API token: neither an account nor anonymous.
API_TOKEN = "api-token"  # noqa: S105 - a marker, not a secret
WRONG_TOKENS = "20/m"  # from one address


class AddressNotAllowed(Exception):
    def __init__(self) -> None:
        super().__init__("This key may not be used from this network address.")


class ApiKeyAuthentication(BaseAuthentication):
    def authenticate(self, request: Request) -> tuple[User, ApiKey] | None:
        raw = request.headers.get("X-API-Key")
        if raw is None:
            return None
        key = ApiKey.objects.for_secret(raw.strip())
        if key is None:
            raise AuthenticationFailed("Invalid API Key", code="invalid_api_key")
        if not key.allows(request.META.get("REMOTE_ADDR", "")):
            raise AddressNotAllowed
        key.touch(f"{request.method} {request.path}")
        return key.user, key

    def authenticate_header(self, request: Request | HttpRequest) -> str:
        """With it DRF answers 401, without it 403."""
        return "ApiKey"


class ApiTokenAuthentication(ApiKeyAuthentication):
    """The object remover surface: an X-API-Key, or API_TOKEN as a bearer token (RFC 6750) where the server has one."""

    def authenticate(self, request: Request) -> tuple[User | None, ApiKey | str] | None:  # type: ignore[override]
        account = super().authenticate(request)
        if account is not None or not settings.API_TOKEN:
            return account
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token.strip():
            raise NotAuthenticated(
                "Missing API token. Please provide the header Authorization: Bearer <API_TOKEN>.",
                code="missing_api_token",
            )
        _check_guesses(request, increment=False)
        if not secrets.compare_digest(token.strip().encode(), settings.API_TOKEN.encode()):
            _check_guesses(request, increment=True)
            raise PermissionDenied("Wrong API token.", code="wrong_api_token")
        return None, API_TOKEN

    def authenticate_header(self, request: Request | HttpRequest) -> str:
        return "Bearer"


def _check_guesses(request: Request, *, increment: bool) -> None:
    """Raises RateLimited for an address that sent WRONG_TOKENS wrong tokens: after that the right one is no help."""
    usage = get_usage(request._request, group="api-token", key="ip", rate=WRONG_TOKENS, method=ALL, increment=increment)
    check_usage(usage)


class PageSession(SessionAuthentication):
    """Who is signed in, for what the site's own pages call. The page's CSRF token comes in X-CSRFToken.

    Nobody is a visitor, where PUBLIC_PICTURES lets them in; but not on a page that was opened by an account
    (`?account`), whose limits and charges are others.
    """

    def authenticate(self, request: Request) -> tuple[User, None] | None:
        found = super().authenticate(request)
        if found is None and (not settings.PUBLIC_PICTURES or "account" in request.query_params):
            raise NotAuthenticated("You are signed out. Sign in in another tab, then try again.", code="signed_out")
        if found is None:
            self.enforce_csrf(request)
        return found

    def enforce_csrf(self, request: Request) -> None:
        bare = copy(request._request)
        bare.POST = QueryDict()  # where the check looks first: it would read the body, however large
        try:
            super().enforce_csrf(bare)  # type: ignore[arg-type] # it reads what both have
        except PermissionDenied as error:
            text = "The page's security token is missing or old. Please reload the page."
            raise PermissionDenied(text, code="csrf_failed") from error

    def authenticate_header(self, request: Request) -> str:
        return "Session"
