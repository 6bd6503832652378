"""What staff see of batches: whose, how far, what failed and why. No picture, nor what somebody named one."""

from __future__ import annotations

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html

from accounts.admin.base import ReadOnlyAdmin
from accounts.admin.plan import PlanAdmin
from accounts.models import PlanModel
from inpainting import engine
from inpainting.batches import closing
from inpainting.batches.models import Batch, Item


class PlanModelForm(forms.ModelForm):
    model = forms.ChoiceField(choices=lambda: [(each.name, each.name) for each in engine.models()])


class PlanModels(admin.TabularInline):
    """What a picture costs, of models that cost something else than usual: 1 unit, sd and sdxl not on a plan."""

    model = PlanModel
    form = PlanModelForm
    extra = 0
    verbose_name_plural = "models (without a row: 1 unit a picture; sd and sdxl not on the plan)"


PlanAdmin.inlines = [*PlanAdmin.inlines, PlanModels]


@admin.register(Batch)
class BatchAdmin(ReadOnlyAdmin):
    list_display = ["id", "owner", "progress", "created_at", "expires_at"]
    list_select_related = ["owner"]
    list_filter = ["created_at"]
    list_per_page = 25  # each counts its items
    search_fields = ["id", "owner__email", "request_id"]
    show_full_result_count = False
    fields = ["id", "owner", "api_key", "created_at", "expires_at", "endpoint", "request_id", "progress"]
    actions = ["cancel"]

    @admin.display
    def progress(self, batch: Batch) -> str:
        progress = batch.progress()
        counts = [f"{count} {state.value}" for state in Item.State if (count := getattr(progress, state.value))]
        address = f"{reverse('admin:inpainting_item_changelist')}?batch__id__exact={batch.pk}"
        return format_html('{} (<a href="{}">{}</a>)', progress.status, address, ", ".join(counts))

    def has_cancel_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("inpainting.change_batch")

    @admin.action(description="Cancel the selected batches and delete their files, now", permissions=["cancel"])
    def cancel(self, request: HttpRequest, batches: QuerySet[Batch]) -> None:
        chosen = list(batches)
        for batch in chosen:
            closing.cancel(batch)
            self.log_change(request, batch, "Cancelled.")
        self.message_user(request, f"Cancelled: {len(chosen)}. The files are deleted, and open units given back.")


@admin.register(Item)
class ItemAdmin(ReadOnlyAdmin):
    list_display = [
        "__str__",
        "owner",
        "state",
        "code",
        "attempt",
        "setbacks",
        "started_at",
        "finished_at",
        "engine_seconds",
    ]
    list_select_related = ["owner"]
    list_filter = ["state", "finished_at"]
    search_fields = ["batch__id", "owner__email"]
    ordering = ["-id"]
    show_full_result_count = False
    fields = ["batch", "index", "owner", "options", "state", "error", "attempt", "setbacks", "available_at"]
    fields += ["started_at", "finished_at", "width", "height", "coverage", "seconds"]

    @admin.display(ordering="seconds", description="seconds")
    def engine_seconds(self, item: Item) -> str:
        return "-" if item.seconds is None else f"{item.seconds:.2f}"

    @admin.display
    def code(self, item: Item) -> str:
        return item.error["code"] if item.error else "-"
