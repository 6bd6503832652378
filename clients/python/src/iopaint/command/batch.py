"""`iopaint batch`: many pictures in one request; the service works on them while this waits, or later."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from tqdm import tqdm

from iopaint import saving
from iopaint.answers import Batch
from iopaint.client import IOPaintClient
from iopaint.command.clean import Unusable, extension, pending, pictures_in, removal_options, told
from iopaint.removing import failure


def run(client: IOPaintClient, asked: argparse.Namespace) -> bool:
    """Whether every picture came off well."""
    if bool(asked.paths) == (asked.id is not None):
        raise Unusable("Name either pictures or the --id of a batch.")
    return _fetch(client, asked) if asked.id else _send(client, asked)


def _send(client: IOPaintClient, asked: argparse.Namespace) -> bool:
    todo = pending(_pictures(asked.paths, asked.mask), asked.output, extension(asked))
    sent = [picture for picture, _ in todo]
    failed = 0
    running: list[Batch] = []
    try:
        done = client.batch_stream(sent, mask=asked.mask, accepted=running.append, **removal_options(asked))
        for each in tqdm(done, total=len(todo), unit="picture", disable=None):
            if each.content is None:
                failed += told(each.name, each.error)
            else:
                saving.write(todo[each.index][1], each.content)
    except KeyboardInterrupt:
        if running:
            later = f"iopaint batch --id {running[-1].id} -o {asked.output}"
            print(f"\nThe service goes on with what was sent. Fetch that first: {later}", file=sys.stderr)
        raise
    print(asked.output)
    return not failed


def _fetch(client: IOPaintClient, asked: argparse.Namespace) -> bool:
    asked.output.mkdir(parents=True, exist_ok=True)
    saving.check_folder(asked.output)
    stems = saving.stems(item.name for item in client.batch_items(asked.id))
    failed = 0
    for item in tqdm(client.follow_batch(asked.id), total=len(stems), unit="picture", disable=None):
        if item.result is None:
            failed += told(item.name, failure(item))
            continue
        target = asked.output / f"{stems[item.index]}{Path(item.result.url).suffix.replace('.jpeg', '.jpg')}"
        if not target.exists():
            saving.write(target, client.download(item))
    print(asked.output)
    return not failed


def _pictures(paths: list[Path], mask: Path | None) -> list[Path]:
    if missing := [path for path in paths if not path.exists()]:
        raise Unusable(f"{missing[0]} does not exist.")
    return [picture for path in paths for picture in (pictures_in(path, mask) if path.is_dir() else [path])]
