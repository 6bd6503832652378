"""The pages of an account's saved marks in the dashboard: listed, added from a file, used, renamed, deleted."""

from __future__ import annotations

import uuid
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import URLPattern, path
from django.views.decorators.http import require_http_methods, require_safe

from accounts.plain import check_line
from accounts.quota import quota_of
from accounts.rate import RateLimited, spend_token
from accounts.requests import SignedInRequest
from inpainting import admission, images, masks, storage, thumbnails
from inpainting.api.base import size_limit
from inpainting.batches.accept import largest
from inpainting.models import SavedMark
from inpainting.saved_marks import keeping
from inpainting.saved_marks.api import NewMark
from inpainting.saved_marks.saved import PLACES, InvalidMark

PAGE_SIZE = 20
DAY = 86400  # seconds
REFUSALS = (
    *(InvalidMark, images.InvalidImage, images.ImageTooLarge),
    *(masks.InvalidMask, masks.MaskTooLarge, masks.EmptyMask, masks.MaskCoversEverything, masks.FaintMask),
)


class NameForm(forms.Form):
    name = forms.CharField(max_length=100, validators=[check_line])


class MarkForm(NameForm):
    kind = forms.ChoiceField(
        label="What it is",
        choices=[("logo", "A logo: a picture with a transparent background"), ("mask", "A mask: white is what goes")],
        initial="logo",
        widget=forms.RadioSelect,
    )
    image = forms.FileField(
        label="File",
        help_text="A logo as PNG or WebP, as large as in your pictures; a mask as large as the picture it was made on. "
        "1 MB at most.",
    )
    anchor = forms.ChoiceField(
        label="Where pictures have it",
        choices=[("", "As usual: a logo bottom right, a mask all over"), *PLACES],
        required=False,
    )
    scaling = forms.ChoiceField(
        label="Size of a mask",
        choices=[("picture", "It grows with the picture"), ("pixels", "As many pixels in every picture")],
        help_text="A logo is always about as large as its file.",
    )
    opacity = forms.IntegerField(
        label="Opacity of a logo, in percent",
        min_value=1,
        max_value=100,
        required=False,
        help_text="Leave it empty if you do not know it: it is estimated in each picture.",
    )

    def asked(self) -> dict[str, Any]:
        """As the API is asked for it."""
        told = {name: value for name, value in self.cleaned_data.items() if value not in ("", None)}
        if "opacity" in told:
            told["opacity"] /= 100
        return told


@login_required
@require_safe
def mark_list(request: SignedInRequest) -> HttpResponse:
    page = Paginator(keeping.own(request.user), PAGE_SIZE).get_page(request.GET.get("page"))
    return render(request, "saved_marks/list.html", {"page": page})


@login_required
@require_http_methods(["GET", "POST"])
def mark_add(request: SignedInRequest) -> HttpResponse:
    form = MarkForm(request.POST or None, request.FILES or None)
    if form.is_valid() and _keep(request, form):
        messages.success(request, "The mark is saved.")
        return redirect("saved_marks")
    return render(request, "saved_marks/add.html", {"form": form, "section": "saved_marks"})


def _keep(request: SignedInRequest, form: MarkForm) -> bool:
    """Whether it could be, as the API keeps it and at the account's rate; otherwise the form says why not."""
    asked, limit = NewMark(data=form.asked()), size_limit(request.user)
    if not asked.is_valid():
        for field, errors in asked.errors.items():
            form.add_error(field if field in form.fields else None, [str(error) for error in errors])
        return False
    try:
        spend_token(request.user)
        asked.keep(request.user, limit)
    except REFUSALS as error:
        form.add_error("image", str(error))
    except (RateLimited, keeping.TooManyMarks, admission.NoRoom) as error:
        form.add_error(None, str(error))
    return form.is_valid()


@login_required
@require_safe
def mark_many(request: SignedInRequest, id: uuid.UUID) -> HttpResponse:
    """Pictures are chosen for it; static/many.js sends them as one batch and goes to its page."""
    context = {"mark": _own(request, id), "most": largest(request.user), "quota": quota_of(request.user)}
    return render(request, "saved_marks/many.html", {**context, "section": "saved_marks"})


@login_required
@require_http_methods(["GET", "POST"])
def mark_rename(request: SignedInRequest, id: uuid.UUID) -> HttpResponse:
    mark = _own(request, id)
    form = NameForm(request.POST or None, initial={"name": mark.title})
    if form.is_valid():
        keeping.rename(mark, form.cleaned_data["name"])
        messages.success(request, "The mark has a new name.")
        return redirect("saved_marks")
    return render(request, "saved_marks/rename.html", {"form": form, "mark": mark, "section": "saved_marks"})


@login_required
@require_http_methods(["GET", "POST"])
def mark_delete(request: SignedInRequest, id: uuid.UUID) -> HttpResponse:
    mark = _own(request, id)
    if request.method == "POST":
        mark.delete()
        messages.success(request, "The mark is deleted.")
        return redirect("saved_marks")
    return render(request, "saved_marks/delete.html", {"mark": mark, "section": "saved_marks"})


@login_required
@require_safe
def mark_thumbnail(request: SignedInRequest, id: uuid.UUID) -> HttpResponse:
    return thumbnails.answer(_own(request, id), DAY)


def _own(request: SignedInRequest, id: uuid.UUID) -> SavedMark:
    try:
        return keeping.find(request.user, id)
    except storage.NotThere as error:
        raise Http404 from error


urlpatterns: list[URLPattern] = [
    path("dashboard/marks", mark_list, name="saved_marks"),
    path("dashboard/marks/new", mark_add, name="saved_mark_add"),
    path("dashboard/marks/<uuid:id>/many", mark_many, name="saved_mark_many"),
    path("dashboard/marks/<uuid:id>/rename", mark_rename, name="saved_mark_rename"),
    path("dashboard/marks/<uuid:id>/delete", mark_delete, name="saved_mark_delete"),
    path("dashboard/marks/<uuid:id>/thumbnail", mark_thumbnail, name="saved_mark_thumbnail"),
]
