"""`iopaint marks`: what the account keeps for `--mark` of later calls."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict

from iopaint.calls import MarkOptions
from iopaint.client import IOPaintClient
from iopaint.reading import plain


def show(client: IOPaintClient, asked: argparse.Namespace) -> bool:
    marks = client.marks()
    if asked.json:
        print(json.dumps([asdict(mark) for mark in marks], default=str))
        return True
    for mark in marks:
        print(plain(f"{mark.id}  {mark.kind}  {mark.width}x{mark.height}  {mark.anchor}  {mark.name}"))
    return True


def add(client: IOPaintClient, asked: argparse.Namespace) -> bool:
    """Prints the id alone, for `--mark`."""
    options: MarkOptions = {}
    for name in ("anchor", "scaling", "opacity"):
        if (value := getattr(asked, name)) is not None:
            options[name] = value
    print(client.create_mark(asked.path, asked.name or asked.path.stem, kind=asked.kind, **options).id)
    return True


def delete(client: IOPaintClient, asked: argparse.Namespace) -> bool:
    client.delete_mark(asked.id)
    return True
