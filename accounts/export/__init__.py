"""An account's data as one ZIP (GDPR, articles 15 and 20), made while it is sent.

Each app adds its part through the signal `collecting`, as it hears of a deletion by pre_delete: a receiver returns what
is to be exported (Table, Files) and what is not, and why (LeftOut). Nothing waits in memory but some rows or one file,
and no query or transaction stays open while a slow client reads.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from zipfile import ZIP_DEFLATED, ZIP_STORED

from django.core.serializers.json import DjangoJSONEncoder
from django.db.models import Model
from django.dispatch import Signal
from django.utils import timezone
from zipstream import ZipStream

from accounts.models import User

__all__ = ["Files", "LeftOut", "Part", "StorageDown", "Table", "collecting", "parts", "stream"]

logger = logging.getLogger(__name__)

ROWS = 500  # in memory at once; the largest are events of webhooks, of 20 kB

collecting = Signal()  # asks for a list of Part


class StorageDown(Exception):
    """A storage of files cannot be reached."""


@dataclass(frozen=True)
class Table:
    """`file`: a JSON list with the rows of `model` whose field `of` (a path to User, or "pk") is the account.

    All columns are in it, but those of `without` and those that name an account: the reader knows their own, and
    others' are none of theirs. `plus`: values of related rows, as QuerySet.values() names them.
    """

    file: str
    model: type[Model]
    of: str
    about: str
    without: tuple[str, ...] = ()
    plus: tuple[str, ...] = ()

    def columns(self) -> list[str]:
        fields = [each for each in self.model._meta.concrete_fields if each.related_model is not User]
        return [each.attname for each in fields if each.name not in self.without] + list(self.plus)

    def rows(self, user: User) -> Iterator[dict[str, Any]]:
        mine = self.model._default_manager.filter(**{self.of: user.pk}).order_by("pk")
        page = list(mine.values("pk", *self.columns())[:ROWS])
        while page:
            last = page[-1]["pk"]
            for row in page:
                del row["pk"]
                yield row
            page = list(mine.filter(pk__gt=last).values("pk", *self.columns())[:ROWS])

    def content(self, user: User) -> Iterator[bytes]:
        before = "[\n"
        for row in self.rows(user):
            yield (before + json.dumps(row, cls=DjangoJSONEncoder, ensure_ascii=False, indent=1)).encode()
            before = ",\n"
        yield b"[]\n" if before == "[\n" else b"\n]\n"


@dataclass(frozen=True)
class Files:
    """What `rows` finds for the account, each read whole: a file is in the ZIP whole, or not at all.

    `read` gives a row's name in the folder and its bytes. It raises LookupError, in a sentence, where the file is gone,
    and StorageDown.
    """

    folder: str
    about: str
    rows: Callable[[User], Iterator[Any]]
    read: Callable[[Any], tuple[str, bytes]]


@dataclass(frozen=True)
class LeftOut:
    """Rows of `model` whose field `of` is the account are not exported: `reason` goes on “Not in this archive: …”."""

    model: type[Model]
    of: str
    reason: str


Part = Table | Files | LeftOut


def parts() -> list[Part]:
    answers: list[tuple[Any, Any]] = collecting.send(User)
    return [part for _, added in answers for part in added]


def stream(user: User) -> Iterator[bytes]:
    """The ZIP. README.txt comes last, since it says what is missing.

    A picture that cannot be read is listed in missing.json with the reason; once a storage is down no more of them are
    asked for, and the rest is still sent. A database that goes away breaks the stream: half of a table is no answer.
    """
    archive = ZipStream(compress_type=ZIP_DEFLATED)
    missing: list[dict[str, str]] = []
    all_parts = parts()
    for part in all_parts:
        if isinstance(part, Table):
            archive.add(part.content(user), part.file)
            yield from archive.file()
        elif isinstance(part, Files):
            for name, content in _read(part, user, missing):
                archive.add(content, name, compress_type=ZIP_STORED)  # pictures are compressed already
                yield from archive.file()
    if missing:
        archive.add(json.dumps(missing, indent=1), "missing.json")
    archive.add(_readme(user, all_parts, len(missing)), "README.txt")
    yield from archive.finalize()


def _read(part: Files, user: User, missing: list[dict[str, str]]) -> Iterator[tuple[str, bytes]]:
    """Each file's path and bytes; what cannot be read is added to `missing`."""
    down = False
    for row in part.rows(user):
        reason = "The storage could not be reached."
        if not down:
            try:
                name, content = part.read(row)
            except LookupError as error:
                reason = str(error)
            except StorageDown:
                down = True
                logger.exception("the export of account %s goes on without %s", user.pk, part.folder)
            else:
                yield f"{part.folder}/{name}", content
                continue
        missing.append({"folder": part.folder, "name": str(row), "reason": reason})


def _readme(user: User, all_parts: list[Part], missing: int) -> str:
    """Wrapped by whoever shows it."""
    tables = [part for part in all_parts if isinstance(part, Table)]
    files = [part for part in all_parts if isinstance(part, Files)]
    reasons = dict.fromkeys(part.reason for part in all_parts if isinstance(part, LeftOut))
    lines = [
        f"The data of the account {user.email}, as of {timezone.now():%Y-%m-%d %H:%M} UTC.",
        "",
    ]
    if missing:
        lines += [
            f"NOT COMPLETE: {missing} {'picture' if missing == 1 else 'pictures'} could not be read. missing.json says "
            "which, and why. If the storage could not be reached, download your data again later.",
            "",
        ]
    lines += [
        "Each .json file is a list of rows, encoded as UTF-8. Times are in UTC (ISO 8601). A name that ends in _id "
        "points to the id of a row in another file.",
        "",
        *(f"{part.file}: {part.about}" for part in tables),
        *(f"{part.folder}/: {part.about}" for part in files),
        "",
        "Not in this archive:",
        "- Passwords, keys, and the secrets of webhooks, sessions and two-factor sign-in; their hashes neither.",
        *(f"- {reason}" for reason in reasons),
        "",
    ]
    return "\n".join(lines)
