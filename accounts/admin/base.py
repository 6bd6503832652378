"""Rows that only the service writes, and rows that it writes while staff edit them."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.utils import flatten_fieldsets
from django.db import DataError
from django.db.models import Model
from django.forms import ModelForm
from django.http import HttpRequest

from accounts.models import User

LOOKUPS = {"exact", "gte", "lt", "isnull", "isempty"}  # what the admin's own links ask for
OF_A_DATE = {"year", "month", "day"}  # and its dates above a list


def is_superuser(request: HttpRequest) -> bool:
    return bool(getattr(request.user, "is_superuser", False))


def is_above(user: User | None, request: HttpRequest) -> bool:
    """Whether it is staff's account, and who asks is staff as well, but no superuser."""
    return user is not None and (user.is_staff or user.is_superuser) and not is_superuser(request)


class Admin(admin.ModelAdmin):
    """The base of every admin here: lists are filtered as their own links do it, and as nothing else.

    Of a field that is not shown an address could ask letter by letter what is in it; and SQLite's `regex` is Python's,
    which one address can keep busy for hours.
    """

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        filters = self.get_list_filter(request)
        if lookup in {getattr(each, "parameter_name", None) for each in filters}:
            return True
        paths = [each[0] if isinstance(each, (list, tuple)) else each for each in filters]
        shown = flatten_fieldsets(self.fieldsets) if self.fieldsets else self.get_fields(request)
        listed = {str(each).partition("__")[0] for each in [*paths, *shown]}
        name, _, asked = lookup.partition("__")
        made = LOOKUPS | OF_A_DATE if name == self.date_hierarchy else LOOKUPS
        is_ours = name in listed and (asked.rpartition("__")[2] or "exact") in made
        return is_ours and super().lookup_allowed(lookup, value, request)

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        """A value that the database refuses, as Django refuses others: the list again, unfiltered."""
        try:
            return super().get_changelist_instance(request)
        except (DataError, OverflowError) as error:
            raise IncorrectLookupParameters from error


class ReadOnlyAdmin(Admin):
    """To look at: a row that is added, changed or deleted by hand would break what the service counts on."""

    def has_add_permission(self, request: HttpRequest, *args: Any) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, *args: Any) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, *args: Any) -> bool:
        return False


class DetailedLogAdmin(Admin):
    """The log of a change says from what to what; Django's own names the fields alone."""

    def construct_change_message(
        self, request: Any, form: Any, formsets: Any, add: bool = False
    ) -> list[dict[str, Any]]:
        entries: list[dict[str, Any]] = super().construct_change_message(request, form, formsets, add)
        every = (each for formset in formsets or () for each in formset.forms)
        forms = {str(each.instance): each for each in every if each.has_changed()}  # an empty one may have no account
        for entry in entries:
            if "changed" in entry:
                changed = forms.get(entry["changed"].get("object"), form)
                entry["changed"]["fields"] = [_change(changed, name) for name in changed.changed_data]
        return entries


def _change(form: Any, name: str) -> str:
    field = form.fields.get(name)
    if field is None:  # the password, which has a form of its own
        return name
    values = [form.initial.get(name), form.cleaned_data.get(name)]
    if hasattr(field, "queryset"):
        values[0] = field.queryset.filter(pk=values[0]).first() if not isinstance(values[0], list) else "…"
        values[1] = values[1] if not hasattr(values[1], "all") else ", ".join(map(str, values[1])) or None
    before, after = ("empty" if value in (None, "") else str(value) for value in values)
    return f"{field.label} from {before} to {after}"


def save_changes(row: Model, form: ModelForm[Model], changed: bool) -> None:
    """Write what staff changed and nothing else: the service may have counted up the row's other fields meanwhile."""
    row.save(update_fields=form.changed_data if changed else None)
