"""`iopaint detect` and `iopaint stats`: what changes nothing and costs nothing."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict

from iopaint import saving
from iopaint.client import IOPaintClient
from iopaint.reading import plain


def detect(client: IOPaintClient, asked: argparse.Namespace) -> bool:
    if asked.save_mask is not None:
        saving.check_target(asked.save_mask)
        saving.write(asked.save_mask, client.detect_mask(asked.path, targets=asked.targets, marked=asked.marked))
    found = client.detect(asked.path, targets=asked.targets, marked=asked.marked)
    if asked.json:
        print(json.dumps(asdict(found)))
        return True
    what = " or ".join(asked.targets or ["watermark"])
    print(f"{found.coverage:.2%} of the picture is {what}." if found.found else f"No {what} was found.")
    for box in found.boxes:
        print(f"{plain(box.kind)}  x {box.x}  y {box.y}  width {box.width}  height {box.height}  score {box.score:.2f}")
    return True


def stats(client: IOPaintClient, asked: argparse.Namespace) -> bool:
    told = client.stats()
    if asked.json:
        print(json.dumps(asdict(told), default=str))
        return True
    quota = told.quota
    limit = "unlimited" if quota.limit is None else f"{quota.used} of {quota.limit} used"
    print(f"requests  {told.total} ({told.success} succeeded, {told.failed} failed)")
    print(f"time      {told.avg_processing_time:.2f} s on average")
    print(f"plan      {plain(told.plan)}")
    print(f"quota     {limit} this {plain(quota.period)}, until {quota.resets_at:%Y-%m-%d %H:%M %Z}")
    return True
