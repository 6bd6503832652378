"""The rate gates: an account's token bucket, and django-ratelimit for addresses without an account."""

from __future__ import annotations

from django.conf import settings
from django_ratelimit.core import get_usage
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle
from rest_framework.views import APIView

from accounts.models import User
from accounts.rate import Rate, check_usage, take_token


class RatedView(APIView):
    """Its `rate` is the state of the account's bucket after this request; None: not asked, or unlimited."""

    rate: Rate | None = None


class PlanThrottle(BaseThrottle):
    """One token of the account's bucket; the view keeps the bucket's state for the response's headers."""

    def allow_request(self, request: Request, view: RatedView) -> bool:  # type: ignore[override]
        if isinstance(request.user, User):
            view.rate = take_token(request.user)
            if view.rate is not None:
                view.rate.check()
        return True


class AddressThrottle(BaseThrottle):
    """PUBLIC_RATE per client address, for calls with neither an account nor the API token."""

    def allow_request(self, request: Request, view: APIView) -> bool:
        if request.auth is None and request.user is None:
            usage = get_usage(
                request._request, group="public", key="ip", rate=settings.PUBLIC_RATE, method="POST", increment=True
            )
            check_usage(usage)
        return True
