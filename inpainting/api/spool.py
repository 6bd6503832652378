"""Files of a request on the disk, where memory should not hold all of them."""

from __future__ import annotations

from typing import Any

from django.core.files.uploadhandler import TemporaryFileUploadHandler

from inpainting.storage import StorageUnavailable


class Spool(TemporaryFileUploadHandler):
    """A temporary file each, which goes with the request. StorageUnavailable: the disk is full."""

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        try:
            super().new_file(*args, **kwargs)
        except OSError as error:
            raise StorageUnavailable from error

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        try:
            super().receive_data_chunk(raw_data, start)
        except OSError as error:
            raise StorageUnavailable from error
