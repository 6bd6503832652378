"""Download my data."""

from __future__ import annotations

from allauth.account.decorators import reauthentication_required
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_http_methods
from django_ratelimit.core import get_usage

from accounts import export
from accounts.requests import SignedInRequest

EXPORT_RATE = "5/h"  # of an account: each reads all that is stored of it, and holds one of the server's threads


@login_required
@reauthentication_required
@require_http_methods(["GET", "POST"])
def account_export(request: SignedInRequest) -> HttpResponseBase:
    if request.method != "POST":
        return render(request, "accounts/export.html")
    usage = get_usage(request, group="export", key="user", rate=EXPORT_RATE, increment=True)
    if usage and usage["should_limit"]:
        messages.error(request, f"You have downloaded your data too often ({EXPORT_RATE}). Please try again later.")
        page = render(request, "accounts/export.html", status=429)
        page["Retry-After"] = str(max(1, usage["time_left"]))
        return page
    name = f"account-{timezone.now():%Y-%m-%d}.zip"
    response = StreamingHttpResponse(export.stream(request.user), content_type="application/zip")
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response
