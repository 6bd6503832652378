"""Batches: pictures that are worked on later. Their rows are the truth, whoever works on them and however often."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.db import models
from django.db.models import Count, Max, Min, Q
from django.utils import timezone

from accounts import lifetimes
from accounts.models import ApiKey, Usage, User
from accounts.webhooks.models import LONGEST_URL

if TYPE_CHECKING:
    from inpainting.models import Result


LONGEST_NAME = 255  # characters
LONGEST_IMAGE_URL = 4096  # characters; signed addresses are long


class Line(models.Model):
    """An account's place among those whose items wait: who was served longest ago is next."""

    owner = models.OneToOneField(User, on_delete=models.CASCADE, primary_key=True, related_name="+")
    served_at = models.DateTimeField(default=timezone.now, db_index=True)
    fetched_at = models.DateTimeField(default=timezone.now, help_text="When a picture of its was last fetched.")

    def __str__(self) -> str:
        return f"line of {self.owner_id}"


class BatchQuerySet(models.QuerySet["Batch"]):
    def hold(self) -> None:
        """Until the transaction ends, and before anything else of theirs is locked: nobody waits in a circle then."""
        list(self.order_by("pk").select_for_update(no_key=True).values("pk"))


class Batch(models.Model):
    class Mark(models.TextChoices):
        """What is known of the mark that all its pictures share."""

        UNASKED = "unasked"
        WANTED = "wanted"
        FOUND = "found"
        ABSENT = "absent"
        SAVED = "saved"  # the account's own, of which this is a copy

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    owner = models.ForeignKey(User, on_delete=models.CASCADE, related_name="batches")
    created_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField(db_index=True, help_text="Then it goes with all its files, if it is over.")
    api_key = models.ForeignKey(ApiKey, on_delete=models.SET_NULL, null=True, related_name="+")
    request_id = models.CharField(max_length=32)
    endpoint = models.CharField(max_length=60)
    rectangles = models.TextField(null=True, help_text="JSON, as the request had it; of every item.")  # noqa: DJ001 - none is not empty
    metadata = models.JSONField(default=dict)
    lifetime = models.PositiveIntegerField(
        null=True, help_text="Seconds that a result is kept (accounts.lifetimes). Empty: RESULT_TTL."
    )
    webhook_url = models.CharField(max_length=LONGEST_URL, blank=True, help_text="Told when the batch is over.")
    mark_state = models.CharField(max_length=7, choices=Mark, default=Mark.UNASKED)
    mark = models.ForeignKey("inpainting.Upload", on_delete=models.SET_NULL, null=True, related_name="marked_batches")
    estimator = models.BigIntegerField(null=True, help_text="The item whose worker computes the mark, while it runs.")
    estimator_attempt = models.PositiveIntegerField(default=0, help_text="That item's, which must still be running.")
    estimates = models.PositiveSmallIntegerField(default=0, help_text="How often it was begun: workers may die of it.")
    idempotency_key = models.CharField(max_length=255, null=True)  # noqa: DJ001 - NULLs do not collide, "" would
    fingerprint = models.CharField(max_length=64, blank=True, help_text="SHA-256 of the request's fields.")

    objects = BatchQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at"]
        verbose_name_plural = "batches"
        indexes = [models.Index(fields=["owner", "-created_at"])]
        constraints = [
            models.UniqueConstraint(fields=["owner", "idempotency_key"], name="one_batch_an_idempotency_key")
        ]

    def __str__(self) -> str:
        return str(self.id)

    @property
    def results_lifetime(self) -> int:
        """Seconds for which each result is kept; lifetimes.ONCE: until it was downloaded."""
        return lifetimes.default("result") if self.lifetime is None else self.lifetime

    def progress(self) -> Progress:
        """How far it is now; of many batches ask progress_of()."""
        return progress_of([self])[self.pk]


class Item(models.Model):
    """One picture of a batch. Its reservation (`usage`) lives as long as the item is queued or running."""

    class State(models.TextChoices):
        QUEUED = "queued"
        RUNNING = "running"
        SUCCEEDED = "succeeded"
        FAILED = "failed"
        CANCELLED = "cancelled"

    OPEN = (State.QUEUED, State.RUNNING)
    CAN_BE_RETRIED = Q(state=State.FAILED) & (Q(image__isnull=False) | ~Q(image_url=""))
    # Their inputs are kept.
    NEEDING_INPUTS = Q(state__in=OPEN) | CAN_BE_RETRIED

    batch = models.ForeignKey(Batch, on_delete=models.CASCADE, related_name="items")
    owner = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    index = models.PositiveIntegerField()
    name = models.CharField(max_length=LONGEST_NAME, help_text="The picture's, as the caller sent it.")
    options = models.JSONField(help_text="As Options.to_json gives them.")
    image = models.ForeignKey("inpainting.Upload", on_delete=models.SET_NULL, null=True, related_name="items")
    mask = models.ForeignKey("inpainting.Upload", on_delete=models.SET_NULL, null=True, related_name="masked_items")
    image_url = models.CharField(
        max_length=LONGEST_IMAGE_URL, blank=True, help_text="Where the picture is still to be fetched from."
    )
    usage = models.OneToOneField(Usage, on_delete=models.SET_NULL, null=True, related_name="+")

    state = models.CharField(max_length=9, choices=State, default=State.QUEUED)
    attempt = models.PositiveIntegerField(default=0, help_text="Counts claims: who has an older number writes nothing.")
    lease_expires_at = models.DateTimeField(null=True, help_text="While it runs.")
    available_at = models.DateTimeField(default=timezone.now, help_text="Not to be tried before.")
    setbacks = models.PositiveSmallIntegerField(default=0, help_text="How often a worker died on it, or lacked a part.")
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    error = models.JSONField(null=True, help_text='{"code", "detail"}, of one that failed.')
    width = models.PositiveIntegerField(null=True)
    height = models.PositiveIntegerField(null=True)
    coverage = models.FloatField(null=True)
    seconds = models.FloatField(null=True, help_text="The engine's own time.")
    mask_source = models.CharField(max_length=10, blank=True, help_text="What said where the mark is.")

    class Meta:
        ordering = ["batch", "index"]
        indexes = [
            # One for each stage of claims, so that none looks through what waits for the other.
            models.Index(fields=["owner", "id"], condition=Q(state="queued", image_url=""), name="items_to_work"),
            models.Index(fields=["owner", "id"], condition=Q(state="queued") & ~Q(image_url=""), name="items_to_fetch"),
            models.Index(fields=["owner"], condition=Q(state="running"), name="items_running"),
            models.Index(fields=["lease_expires_at"], condition=Q(state="running"), name="items_leased"),
        ]
        constraints = [models.UniqueConstraint(fields=["batch", "index"], name="one_item_an_index")]

    def __str__(self) -> str:
        return f"{self.batch_id}/{self.index}"

    @property
    def percent(self) -> float | None:
        """Coverage as people read it."""
        return None if self.coverage is None else 100 * self.coverage

    @property
    def result(self) -> Result | None:
        """What its last attempt stored, until that expires. Prefetch `results` for many."""
        if self.state != self.State.SUCCEEDED:
            return None
        now = timezone.now()
        mine = (each for each in self.results.all() if each.attempt == self.attempt)
        return next((each for each in mine if each.written and each.expires_at > now), None)


@dataclass(frozen=True)
class Progress:
    """How far a batch is, counted from its items."""

    queued: int = 0
    running: int = 0
    succeeded: int = 0
    failed: int = 0
    cancelled: int = 0
    started_at: datetime | None = None
    last_at: datetime | None = None  # when an item ended last

    @property
    def total(self) -> int:
        return self.queued + self.running + self.succeeded + self.failed + self.cancelled

    @property
    def open(self) -> int:
        return self.queued + self.running

    @property
    def ended(self) -> int:
        return self.total - self.open

    @property
    def is_over(self) -> bool:
        return not self.open

    @property
    def finished_at(self) -> datetime | None:
        return self.last_at if self.is_over else None

    @property
    def status(self) -> str:
        if not self.is_over:
            return "running" if self.started_at else "queued"
        return "cancelled" if self.cancelled else "succeeded" if self.succeeded else "failed"


def first_names(batches: Sequence[Batch]) -> dict[uuid.UUID, str]:
    """What each batch's first picture is called, in one query: people know a batch by it."""
    firsts = Item.objects.filter(batch__in=[batch.pk for batch in batches], index=0).order_by()
    return dict(firsts.values_list("batch", "name"))


def progress_of(batches: Sequence[Batch]) -> dict[uuid.UUID, Progress]:
    """Of each batch, in one query; a batch that is gone has no items."""
    counts = {state.value: Count("pk", filter=Q(state=state)) for state in Item.State}
    rows = (
        Item.objects.filter(batch__in=[batch.pk for batch in batches])
        .order_by()
        .values("batch")
        .annotate(**counts, started_at=Min("started_at"), last_at=Max("finished_at"))
    )
    counted: dict[uuid.UUID, dict[str, Any]] = {row["batch"]: dict(row) for row in rows}
    members = [field.name for field in fields(Progress)]
    return {
        batch.pk: Progress(**{name: counted[batch.pk][name] for name in members}) if batch.pk in counted else Progress()
        for batch in batches
    }
