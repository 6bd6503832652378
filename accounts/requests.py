"""Requests whose account is known, because of what they have passed: login_required, or IsAuthenticated."""

from django.http import HttpRequest
from rest_framework.request import Request

from accounts.models import User


class SignedInRequest(HttpRequest):
    """A page's, behind login_required or in the admin."""

    user: User


class AccountRequest(Request):
    """An API call's, behind IsAuthenticated."""

    user: User
