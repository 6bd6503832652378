"""A plan is chosen, a pack is bought: the form validates and performs."""

from __future__ import annotations

from typing import Any

from django import forms

from accounts.billing import gateway
from accounts.models import Pack, Plan, PlanRequest, User

MAX_MESSAGE = PlanRequest._meta.get_field("message").max_length


class ChoosePlan(forms.Form):
    plan = forms.ModelChoiceField(
        Plan.objects.filter(offered=True),
        to_field_name="slug",
        error_messages={"invalid_choice": "This plan is not offered.", "required": "Choose a plan."},
    )
    message = forms.CharField(max_length=MAX_MESSAGE, required=False)

    def __init__(self, user: User, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user = user

    def perform(self) -> str:
        """The address to go on to. Raises billing.Refused, billing.Unavailable."""
        return gateway().choose(self.user, self.cleaned_data["plan"], self.cleaned_data["message"])


class BuyPack(forms.Form):
    pack = forms.ModelChoiceField(
        Pack.objects.filter(offered=True),
        error_messages={"invalid_choice": "This pack is not offered.", "required": "Choose a pack."},
    )

    def __init__(self, user: User, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user = user

    def perform(self) -> str:
        """The address to go on to. Raises billing.Refused, billing.Unavailable."""
        return gateway().buy(self.user, self.cleaned_data["pack"])
