"""Forms that do something that must not be done twice."""

from __future__ import annotations

import secrets

from django import forms
from django.core.cache import cache

FORM_LIVES = 24 * 3600  # seconds for which a form that was sent is remembered


class OnceForm(forms.Form):
    """A form that works once: sent again (a reload, a double click) it is refused, and nothing is done twice."""

    once = forms.CharField(widget=forms.HiddenInput, max_length=43, initial=lambda: secrets.token_urlsafe(16))

    def is_first_use(self) -> bool:
        """Whether nobody has sent this copy of the form before; asking uses it up."""
        return bool(cache.add(self._sent, True, FORM_LIVES))

    def refuse(self, error: Exception) -> None:
        """Nothing was done after all: the same copy may be sent again."""
        cache.delete(self._sent)
        self.add_error(None, str(error))

    @property
    def _sent(self) -> str:
        return f"form-sent:{self.cleaned_data['once']}"
