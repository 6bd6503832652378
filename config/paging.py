"""Lists in pages by cursor, of the API and of the site."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from rest_framework.exceptions import NotFound
from rest_framework.pagination import CursorPagination
from rest_framework.request import Request

from config import links


class CursorPages(CursorPagination):
    """Newest first. A cursor that is none of ours, however it was made, is NotFound."""

    ordering = "-created_at"

    def paginate_queryset(self, queryset: Any, request: Request, view: Any = None) -> list[Any] | None:
        try:
            page: list[Any] | None = super().paginate_queryset(queryset, request, view)
        except (ValidationError, ValueError, OverflowError) as error:  # its position is no moment, no index
            raise NotFound(self.invalid_cursor_message) from error
        self.base_url = links.absolute(request, request.get_full_path())
        return page
