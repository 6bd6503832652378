"""Uploads and results, of the object remover surface and of batches: rows here, files in storages of these names."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from typing import ClassVar, Self, TypeVar

from django.conf import settings
from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from accounts.models import User
from inpainting.batches.models import Batch, BatchQuerySet, Item, Line

__all__ = ["Batch", "Item", "Line", "Result", "SavedMark", "StoredFile", "Upload"]


def new_upload_name() -> str:
    return str(uuid.uuid4())


def new_result_name(format: str = "png") -> str:
    return f"output_{uuid.uuid4().hex}.{format}"


def upload_expiry() -> datetime:
    return timezone.now() + timedelta(seconds=settings.UPLOAD_TTL)


def result_expiry() -> datetime:
    return timezone.now() + timedelta(seconds=settings.RESULT_TTL)


Stored = TypeVar("Stored", bound="StoredFile")


class StoredFileQuerySet(models.QuerySet[Stored]):
    def live(self) -> Self:
        """What may be served: written to its end and not expired."""
        return self.filter(written=True, expires_at__gt=timezone.now())

    def expired(self) -> Self:
        return self.filter(expires_at__lte=timezone.now())

    def usable_by(self, user: User | None) -> Self:
        """What anybody may use, and what the account itself uploaded."""
        return self.live().filter(Q(owner=None) | Q(owner=user) if user else Q(owner=None))


class StoredFile(models.Model):
    """A row that is there before its file and goes with it: no file is ever without a row (storage.delete_file)."""

    name: models.CharField[str, str]
    owner = models.ForeignKey(User, on_delete=models.CASCADE, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at: models.DateTimeField[datetime, datetime]
    size = models.PositiveIntegerField(help_text="Bytes.")
    written = models.BooleanField(default=False, help_text="The file is there, whole.")

    objects = StoredFileQuerySet.as_manager()
    storage_alias: ClassVar[str]

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return self.name

    def batches(self) -> BatchQuerySet:
        """Whose rows change where this one goes."""
        return Batch.objects.none()


class UploadQuerySet(StoredFileQuerySet["Upload"]):
    def expired(self) -> Self:
        return super().expired().unneeded()

    def unneeded(self) -> Self:
        """What no batch's item needs, however old it is."""
        return self.exclude(_is_of(Item.objects.filter(Item.NEEDING_INPUTS)))

    def of_items(self, items: models.QuerySet[Item]) -> Self:
        return self.filter(_is_of(items))


def _is_of(items: models.QuerySet[Item]) -> Q:
    """Whether an upload is the picture or mask of one of them, or the mark that its batch shares."""
    image, mask, mark = (items.filter(**{field: OuterRef("pk")}) for field in ("image", "mask", "batch__mark"))
    return Q(Exists(image)) | Q(Exists(mask)) | Q(Exists(mark))


class Upload(StoredFile):
    class Kind(models.TextChoices):
        IMAGE = "image"
        MASK = "mask"
        MARK = "mark"  # that a batch's pictures share: SharedMark.to_bytes, or Saved.to_bytes of a saved one

    storage_alias = "uploads"
    name = models.CharField(max_length=36, unique=True, default=new_upload_name, help_text="The id that clients use.")
    expires_at = models.DateTimeField(default=upload_expiry, db_index=True)
    kind = models.CharField(max_length=5, choices=Kind)

    objects = UploadQuerySet.as_manager()  # type: ignore[misc] # a manager of its own

    def batches(self) -> BatchQuerySet:
        of_items = Item.objects.order_by().filter(Q(image=self) | Q(mask=self)).values_list("batch", flat=True)
        return Batch.objects.filter(pk__in={*of_items.distinct(), *self.marked_batches.values_list("pk", flat=True)})


class Result(StoredFile):
    storage_alias = "results"
    name = models.CharField(max_length=44, unique=True, default=new_result_name)
    expires_at = models.DateTimeField(default=result_expiry, db_index=True)
    sha256 = models.CharField(max_length=64)
    once = models.BooleanField(default=False, db_default=False, help_text="It goes when it was downloaded whole.")
    # Of a batch's item, by its attempt of that number; it counts once the item has ended with that attempt.
    item = models.ForeignKey(Item, on_delete=models.SET_NULL, null=True, related_name="results")
    attempt = models.PositiveIntegerField(default=0)

    @property
    def content_type(self) -> str:
        return f"image/{self.name.rpartition('.')[2]}"


class SavedMark(StoredFile):
    """A mask or a logo that an account keeps to apply it to later pictures; it stays until it is deleted."""

    storage_alias = "marks"
    name = models.CharField(max_length=36, unique=True, default=new_upload_name, help_text="The id that clients use.")
    title = models.CharField(max_length=100, help_text="What its owner calls it.")
    kind = models.CharField(max_length=4, choices=[("mask", "Mask"), ("logo", "Logo")])
    opacity = models.FloatField(null=True, help_text="Of a logo, 0 to 1. Empty: unknown.")
    place = models.JSONField(help_text="As saved_marks.saved.Place has it.")

    class Meta:
        ordering = ["-created_at"]
