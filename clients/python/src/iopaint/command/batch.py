"""`iopaint batch`: many pictures in one request; the service works on them while this waits, or later."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path, PurePosixPath
from typing import cast
from urllib.parse import urlsplit

from tqdm import tqdm

from iopaint import errors, saving
from iopaint.answers import Batch, Item
from iopaint.calls import BatchOptions
from iopaint.client import IOPaintClient
from iopaint.command.clean import FATAL, Tally, Unusable, extension, pending, pictures_in, removal_options, told
from iopaint.removing import failure


def run(client: IOPaintClient, asked: argparse.Namespace) -> bool:
    """Whether every picture came off well."""
    if bool(asked.paths) == (asked.id is not None):
        raise Unusable("Name either pictures or the --id of a batch.")
    if asked.retry and asked.paths:
        raise Unusable("--retry goes with the --id of a batch.")
    return _fetch(client, asked) if asked.id else _send(client, asked)


def _send(client: IOPaintClient, asked: argparse.Namespace) -> bool:
    pictures = _pictures(asked.paths, asked.mask)
    todo = pending(pictures, asked.output, extension(asked))
    tally = Tally(there=len(pictures) - len(todo))
    sent = [picture for picture, _ in todo]
    running: list[Batch] = []
    try:
        done = client.batch_stream(sent, mask=asked.mask, accepted=running.append, **_options(asked))
        for each in tqdm(done, total=len(todo), unit="picture", disable=None):
            if each.content is None:
                tally.failed += told(each.name, each.error)
                continue
            saving.write(todo[each.index][1], each.content)
            if each.coverage:
                tally.cleaned += 1
            else:
                tally.unchanged += 1
    except KeyboardInterrupt:
        if running:
            later = f"iopaint batch --id {running[-1].id} -o {asked.output}"
            print(f"\nThe service goes on with what was sent. Fetch that first: {later}", file=sys.stderr)
        raise
    print(asked.output)
    print(tally, file=sys.stderr)
    return not tally.failed


def _fetch(client: IOPaintClient, asked: argparse.Namespace) -> bool:
    asked.output.mkdir(parents=True, exist_ok=True)
    saving.check_folder(asked.output)
    if asked.retry:
        _retry(client, asked.id)
    items = client.batch_items(asked.id)
    stems = dict(zip((item.index for item in items), saving.stems(item.name for item in items), strict=True))
    failed = 0
    for item in tqdm(client.follow_batch(asked.id), total=len(stems), unit="picture", disable=None):
        if item.index not in stems:
            detail = f"The service tells of picture {item.index}, which is none of the batch's."
            raise errors.UnexpectedAnswer(detail, code="unexpected_answer")
        failed += not _fetched(client, item, asked.output / stems[item.index])
    print(asked.output)
    return not failed


def _retry(client: IOPaintClient, id: str) -> None:
    try:
        client.retry_batch(id)
    except errors.InvalidRequest as error:
        if error.code != "nothing_to_retry":
            raise
        print(error.detail, file=sys.stderr)  # what is there can be fetched all the same


def _fetched(client: IOPaintClient, item: Item, target: Path) -> bool:
    """Whether its result is there now. target: without the extension. Raises OSError, FATAL."""
    if item.result is None:
        return not told(target.name, failure(item))
    suffix = PurePosixPath(urlsplit(item.result.url).path).suffix.lower()
    file = target.with_name(f"{target.name}.{saving.TYPES.get(f'image/{saving.FORMATS.get(suffix)}', 'png')}")
    if file.exists():
        return True
    try:
        saving.write(file, client.download(item))
    except FATAL:
        raise
    except errors.IOPaintError as error:
        return not told(target.name, error)
    return True


def _options(asked: argparse.Namespace) -> BatchOptions:
    options = cast(BatchOptions, removal_options(asked))
    if asked.expires_in is not None:
        options["expires_in"] = asked.expires_in
    if asked.shared_mark:
        options["shared_mark"] = True
    return options


def _pictures(paths: list[Path], mask: Path | None) -> list[Path]:
    if missing := [path for path in paths if not path.exists()]:
        raise Unusable(f"{missing[0]} does not exist.")
    return [picture for path in paths for picture in (pictures_in(path, mask) if path.is_dir() else [path])]
