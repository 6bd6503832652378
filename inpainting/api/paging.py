"""Lists in pages: {"next", "previous", "results"}."""

from __future__ import annotations

from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers
from rest_framework.request import Request

from config.paging import CursorPages

PAGING = [
    OpenApiParameter("cursor", str, description="Which page: the `next` of the one before it has it."),
    OpenApiParameter("limit", {"type": "integer", "minimum": 1, "maximum": 200}, description="Results a page; 50."),
]


class Pages(CursorPages):
    page_size, max_page_size = 50, 200

    def get_page_size(self, request: Request) -> int:
        """Raises ValidationError."""
        wanted = request.query_params.get("limit", self.page_size)
        try:
            return int(serializers.IntegerField(min_value=1, max_value=self.max_page_size).run_validation(wanted))
        except serializers.ValidationError as error:
            raise serializers.ValidationError({"limit": error.detail}) from error
