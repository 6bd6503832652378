"""Delete my account."""

from __future__ import annotations

from allauth.account.decorators import reauthentication_required
from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from accounts.billing import Unavailable
from accounts.forms.account import DeleteAccountForm
from accounts.requests import SignedInRequest


@login_required
@reauthentication_required
@require_http_methods(["GET", "POST"])
def account_delete(request: SignedInRequest) -> HttpResponse:
    form = DeleteAccountForm(request.user, request.POST or None)
    if form.is_valid():
        try:
            form.delete()
        except Unavailable as problem:
            messages.error(request, f"Your account is not deleted. {problem}")
            return redirect("account_delete")
        logout(request)
        messages.success(request, "Your account is deleted.")
        return redirect("home")
    return render(request, "accounts/delete.html", {"form": form})
