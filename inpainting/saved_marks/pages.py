"""The pages of an account's saved marks in the dashboard: listed, added from a logo's file, renamed, deleted."""

from __future__ import annotations

import io
import uuid

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import URLPattern, path
from django.views.decorators.http import require_http_methods, require_safe
from PIL import Image

from accounts.requests import SignedInRequest
from inpainting import admission, images, storage
from inpainting.api.base import size_limit
from inpainting.models import SavedMark
from inpainting.saved_marks import keeping
from inpainting.saved_marks.saved import ANCHORS, InvalidMark, logo_of

PAGE_SIZE = 20
SIDE = 192  # pixels of a thumbnail: 96 on a page, on a screen of two to a pixel


class NameForm(forms.Form):
    name = forms.CharField(max_length=100)


class LogoForm(NameForm):
    image = forms.FileField(
        label="Logo file",
        help_text="PNG or WebP with a transparent background, as large as in your pictures; 1 MB at most.",
    )
    anchor = forms.ChoiceField(
        label="Where pictures have it",
        choices=[(name, name.replace("-", " ").capitalize()) for name in ANCHORS],
        initial="bottom-right",
    )
    opacity = forms.IntegerField(
        label="Opacity in percent",
        min_value=1,
        max_value=100,
        required=False,
        help_text="Leave it empty if you do not know it: it is estimated in each picture.",
    )


@login_required
@require_safe
def mark_list(request: SignedInRequest) -> HttpResponse:
    page = Paginator(keeping.own(request.user), PAGE_SIZE).get_page(request.GET.get("page"))
    return render(request, "saved_marks/list.html", {"page": page})


@login_required
@require_http_methods(["GET", "POST"])
def mark_add(request: SignedInRequest) -> HttpResponse:
    form = LogoForm(request.POST or None, request.FILES or None)
    if form.is_valid() and _keep(request, form):
        messages.success(request, "The mark is saved.")
        return redirect("saved_marks")
    return render(request, "saved_marks/add.html", {"form": form, "section": "saved_marks"})


def _keep(request: SignedInRequest, form: LogoForm) -> bool:
    """Whether it could be; otherwise the form says why not."""
    told = form.cleaned_data
    asked = {"anchor": told["anchor"], "scaling": "pixels"}
    if told["opacity"]:
        asked["opacity"] = told["opacity"] / 100
    data, limit = told["image"].read(), size_limit(request.user)
    try:
        with admission.worked_on(images.check(data, limit), len(data), detects=False):
            keeping.keep(request.user, told["name"], logo_of(data, limit, asked))
    except (InvalidMark, images.InvalidImage, images.ImageTooLarge) as error:
        form.add_error("image", str(error))
    except (keeping.TooManyMarks, admission.NoRoom) as error:
        form.add_error(None, str(error))
    return form.is_valid()


@login_required
@require_http_methods(["GET", "POST"])
def mark_rename(request: SignedInRequest, id: uuid.UUID) -> HttpResponse:
    mark = _own(request, id)
    form = NameForm(request.POST or None, initial={"name": mark.title})
    if form.is_valid():
        mark.title = form.cleaned_data["name"]
        mark.save(update_fields=["title"])
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
    """A mark never changes, so a browser may keep it."""
    try:
        image = Image.open(io.BytesIO(storage.read(_own(request, id))))
    except storage.NotThere as error:
        raise Http404 from error
    image.thumbnail((SIDE, SIDE))
    small = io.BytesIO()
    image.save(small, "PNG")
    return HttpResponse(small.getvalue(), content_type="image/png", headers={"Cache-Control": "private, max-age=86400"})


def _own(request: SignedInRequest, id: uuid.UUID) -> SavedMark:
    try:
        return keeping.find(request.user, id)
    except storage.NotThere as error:
        raise Http404 from error


urlpatterns: list[URLPattern] = [
    path("dashboard/marks", mark_list, name="saved_marks"),
    path("dashboard/marks/new", mark_add, name="saved_mark_add"),
    path("dashboard/marks/<uuid:id>/rename", mark_rename, name="saved_mark_rename"),
    path("dashboard/marks/<uuid:id>/delete", mark_delete, name="saved_mark_delete"),
    path("dashboard/marks/<uuid:id>/thumbnail", mark_thumbnail, name="saved_mark_thumbnail"),
]
