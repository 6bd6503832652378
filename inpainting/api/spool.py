"""Files of a request on the disk, where memory should not hold all of them."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.core.files.uploadhandler import FileUploadHandler, TemporaryFileUploadHandler

from inpainting.storage import StorageUnavailable


@contextmanager
def _writing() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StorageUnavailable from error


class Spool(TemporaryFileUploadHandler):
    """A temporary file each, which goes with the request. StorageUnavailable: the disk is full.

    Django's own has a name, and stays where the process is killed. This one has none: it goes with the process too.
    """

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        FileUploadHandler.new_file(self, *args, **kwargs)
        with _writing():
            nameless = tempfile.TemporaryFile(dir=settings.FILE_UPLOAD_TEMP_DIR)  # noqa: SIM115 - Django closes it
        about = self.file_name, self.content_type, 0, self.charset, self.content_type_extra
        self.file = UploadedFile(nameless, *about)  # type: ignore[assignment] # all but the name is used

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        with _writing():
            super().receive_data_chunk(raw_data, start)

    def file_complete(self, file_size: int) -> Any:
        with _writing():  # the last bytes are written here
            return super().file_complete(file_size)

    def upload_interrupted(self) -> None:
        if hasattr(self, "file"):
            self.file.close()
