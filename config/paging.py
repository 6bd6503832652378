"""Lists in pages by cursor, of the API and of the site."""

from __future__ import annotations

from datetime import UTC
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.dateparse import parse_datetime
from rest_framework.exceptions import NotFound
from rest_framework.pagination import Cursor, CursorPagination
from rest_framework.request import Request

from config import links


class CursorPages(CursorPagination):
    """Newest first. A cursor that is none of ours, however it was made, is NotFound."""

    ordering = "-created_at"

    def decode_cursor(self, request: Request) -> Cursor | None:
        """Its moment in UTC: PostgreSQL refuses zones of 16 hours and more, which Python takes."""
        cursor: Any = super().decode_cursor(request)  # its types take a position for a number
        moment = parse_datetime(cursor.position) if cursor and cursor.position else None
        if moment is None or moment.tzinfo is None:
            return cursor  # type: ignore[no-any-return]
        return Cursor(cursor.offset, cursor.reverse, moment.astimezone(UTC).isoformat())  # type: ignore[arg-type]

    def paginate_queryset(self, queryset: Any, request: Request, view: Any = None) -> list[Any] | None:
        try:
            page: list[Any] | None = super().paginate_queryset(queryset, request, view)
        except (ValidationError, ValueError, OverflowError) as error:  # its position is no moment, no index
            raise NotFound(self.invalid_cursor_message) from error
        self.base_url = links.absolute(request, request.get_full_path())
        return page
