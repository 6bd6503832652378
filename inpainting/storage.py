"""Uploads and results: how they are put, found, read and deleted, on local files or S3 alike."""

from __future__ import annotations

import hashlib
import logging
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from django.core.files.base import ContentFile, File
from django.core.files.storage import Storage, storages
from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.http import FileResponse, StreamingHttpResponse
from django.utils import timezone
from django.utils.http import http_date, quote_etag

from accounts import lifetimes
from accounts.models import User
from config import metrics
from inpainting.models import Item, Result, SavedMark, StoredFile, Upload, new_result_name

logger = logging.getLogger(__name__)

Stored = TypeVar("Stored", bound=StoredFile)


class NotThere(LookupError):
    """No such upload or result, or none that this caller may use, or it has expired."""


class StorageUnavailable(Exception):
    """The storage refuses, hangs, or is full."""

    def __init__(self) -> None:
        super().__init__("The storage cannot be reached.")


@contextmanager
def _asking() -> Iterator[None]:
    """Whatever a backend raises (botocore's errors, a full disk's) is one error; only what is not there is another."""
    try:
        yield
    except FileNotFoundError:
        raise
    except Exception as error:
        metrics.STORAGE_FAILURES.inc()
        raise StorageUnavailable from error


def put_upload(data: bytes, kind: str, owner: User | None, lifetime: int | None = None) -> Upload:
    """`lifetime`: as accounts.lifetimes has it; None: UPLOAD_TTL."""
    upload = Upload(kind=kind, owner=owner, size=len(data))
    if lifetime is not None:
        upload.expires_at = lifetimes.end(lifetime)
    return _put(upload, data)


def put_result(
    data: bytes, owner: User | None, format: str = "png", item: Item | None = None, lifetime: int | None = None
) -> Result:
    """`item`: of a batch, which the caller has claimed, and which says the lifetime. `lifetime`: as accounts.lifetimes
    has it; None: RESULT_TTL."""
    digest = hashlib.sha256(data).hexdigest()
    result = Result(name=new_result_name(format), owner=owner, size=len(data), sha256=digest)
    if item is not None:
        result.item, result.attempt, lifetime = item, item.attempt, item.batch.results_lifetime
    if lifetime is not None:
        result.expires_at, result.once = lifetimes.end(lifetime), lifetime == lifetimes.ONCE
    return _put(result, data)


def put_saved_mark(mark: SavedMark, data: bytes) -> SavedMark:
    """`mark`: saved already, within its account's limits."""
    return _put(mark, data)


def read_upload(name: uuid.UUID, kind: str, user: User | None) -> bytes:
    """The bytes of a live upload that `user` may use. Raises NotThere."""
    upload = Upload.objects.usable_by(user).filter(name=str(name)).first()
    if upload is not None and upload.kind != kind:
        raise NotThere(f"{name} is the id of an uploaded {upload.kind}, not of the {kind}: are the two ids swapped?")
    if upload is not None:
        return read(upload)
    raise NotThere(f"No {kind} with the id {name}: it has expired or was never uploaded. Upload it again.")


def read(upload: Upload | SavedMark) -> bytes:
    """The file's bytes. Raises NotThere, StorageUnavailable."""
    try:
        with _asking(), _storage(upload).open(upload.name) as file:
            content: bytes = file.read()
            return content
    except FileNotFoundError as error:
        logger.exception("upload %s has a row but no file", upload.pk)
        raise NotThere(f"The {upload.kind} {upload.name} is gone. Upload it again.") from error


def find_result(name: str) -> Result:
    """Raises NotThere."""
    result = live_result(name)
    if result is None:
        raise NotThere("No such result: it has expired or never existed.")
    return result


def live_result(name: str) -> Result | None:
    """The result of this name, if there is one that has not expired."""
    return Result.objects.live().filter(name=name).first()


def stream(result: Result) -> StreamingHttpResponse:
    """The file as it is read, in blocks; one that is there to be downloaded once goes with the last block.

    Raises NotThere.
    """
    try:
        with _asking():
            file = _storage(result).open(result.name)
    except FileNotFoundError as error:
        raise NotThere("No such result: its file is gone.") from error
    if not result.once:
        return FileResponse(file, content_type=result.content_type)
    return StreamingHttpResponse(downloaded(_blocks(file), [result]), content_type=result.content_type)


def downloaded(blocks: Iterable[bytes], results: Iterable[Result]) -> Iterator[bytes]:
    """The blocks; then those of the results that were there to be downloaded once go.

    The web server asks for what follows the last block when it has sent that; of a client that has gone it asks nothing
    more, and they stay.
    """
    yield from blocks
    for result in results:
        if result.once:
            discarded(result)


def read_result(result: Result) -> bytes:
    """The file's bytes. Raises NotThere, StorageUnavailable."""
    try:
        with _asking():
            return b"".join(chunks(result))
    except FileNotFoundError as error:
        raise NotThere("No such result: its file is gone.") from error


def lasts(result: Result) -> int:
    """Seconds for which it is there."""
    return max(0, int((result.expires_at - timezone.now()).total_seconds()))


def headers(result: Result) -> dict[str, str]:
    """What a browser or a cache may know of a result. A name never gets other content."""
    return {
        "Content-Length": str(result.size),
        "Content-Disposition": f'inline; filename="{result.name}"',
        "ETag": quote_etag(result.sha256),
        "Last-Modified": http_date(result.created_at.timestamp()),
        "Cache-Control": "no-store" if result.once else f"public, max-age={lasts(result)}, immutable",
        "X-Content-Type-Options": "nosniff",
    }


def delete_result(name: str, user: User | None) -> None:
    """Now, row and file: the account's own, or one that no account made. Raises NotThere, StorageUnavailable."""
    if not _delete(Result.objects.usable_by(user).filter(name=name)):
        raise NotThere("No such result of yours: it has expired, was deleted, or never existed.")


def delete_upload(name: uuid.UUID, user: User | None) -> None:
    """As delete_result(); what a batch still needs goes with the batch."""
    if not _delete(Upload.objects.usable_by(user).unneeded().filter(name=str(name))):
        raise NotThere("No such upload of yours: it has expired, was deleted, or never existed.")


def _delete(found: QuerySet[Any]) -> bool:
    """Whether there was one. Of two that delete it at once, one finds it."""
    with transaction.atomic():
        stored = found.first()
        if stored is not None:
            stored.batches().hold()
            stored = found.select_for_update().first()
        if stored is not None:
            stored.delete()
    return stored is not None


def delete_file(instance: StoredFile, **kwargs: Any) -> None:
    """What Django calls where a row goes, for whatever reason: by our hand, or with its account.

    It is called inside the row's transaction: a storage that fails keeps the row, which is found when it has expired.
    """
    with _asking():
        _storage(instance).delete(instance.name)


def chunks(result: Result) -> Iterator[bytes]:
    """The file in blocks. Raises FileNotFoundError, and what the storage raises."""
    yield from _blocks(_storage(result).open(result.name))


def _blocks(file: File[Any]) -> Iterator[bytes]:
    with file:
        yield from file.chunks()


def discarded(stored: StoredFile) -> bool:
    """Delete it if that can be done now; otherwise its row stays, and it is found when it has expired."""
    row = stored.pk
    try:
        with transaction.atomic():
            stored.batches().hold()
            stored.delete()
    except Exception:
        logger.exception("%s %s could not be deleted", type(stored).__name__, row)
        return False
    return True


def discard_inputs(item: Item) -> None:
    """Of an item that is done. What others share stays; what cannot be deleted now goes when it has expired."""
    for upload in Upload.objects.filter(pk__in=[item.image_id, item.mask_id, item.batch.mark_id]).unneeded():
        discarded(upload)


def delete_expired() -> int:
    """Delete what has expired, and how much that was. A file whose storage fails stays for the next time."""
    return sum(discarded(stored) for model in (Upload, Result) for stored in model.objects.expired().iterator())


def names(model: type[StoredFile]) -> set[str]:
    """All files in the storage of uploads, of results, or of saved marks."""
    try:
        return set(storages[model.storage_alias].listdir("")[1])
    except FileNotFoundError:  # a folder that the first file will make
        return set()


def check() -> None:
    """Write and delete a small file in each storage: a full disk and a bucket without rights can still be read.

    Raises StorageUnavailable.
    """
    for alias in (Upload.storage_alias, Result.storage_alias, SavedMark.storage_alias):
        with _asking():
            name = storages[alias].save(f"health-{uuid.uuid4().hex}", ContentFile(b"health"))
            storages[alias].delete(name)


def _put(stored: Stored, data: bytes) -> Stored:
    try:
        stored.save()
    except IntegrityError as error:
        raise NotThere("The account was deleted meanwhile.") from error
    try:
        with _asking():
            _storage(stored).save(stored.name, ContentFile(data))
        stored.written = True
        stored.save(update_fields=["written"])
    except BaseException:
        discarded(stored)
        raise
    return stored


def _storage(stored: StoredFile) -> Storage:
    return storages[stored.storage_alias]
