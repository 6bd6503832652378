"""For how long the account's files are kept."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from accounts.forms.account import LifetimesForm
from accounts.requests import SignedInRequest


@login_required
@require_http_methods(["GET", "POST"])
def lifetimes_page(request: SignedInRequest) -> HttpResponse:
    form = LifetimesForm(request.user, request.POST or None)
    if form.is_valid():
        form.save()
        messages.success(request, "Saved. What is stored from now on is kept for as long as this says.")
        return redirect("lifetimes")
    return render(request, "accounts/lifetimes.html", {"form": form})
