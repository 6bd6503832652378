"""What lies in the storages and has no row goes, and rows whose file is gone; what is on its way stays."""

from __future__ import annotations

from datetime import datetime, timedelta
from io import StringIO

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import FileSystemStorage, storages
from django.core.management import call_command

from inpainting import reconciliation, storage
from inpainting.models import Result, Upload
from inpainting.reconciliation import Reconciled, reconcile


@pytest.fixture
def settled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything is old enough."""
    monkeypatch.setattr(reconciliation, "SETTLED", timedelta(hours=-1))


def test_it_works(db: None, settled: None) -> None:
    kept = storage.put_upload(b"a picture", Upload.Kind.IMAGE, None)
    lost = storage.put_result(b"a picture", None)
    storages["results"].delete(lost.name)
    half = Result.objects.create(size=9, sha256="")
    orphan = storages["uploads"].save("00000000-0000-0000-0000-000000000000", ContentFile(b"a picture"))

    assert reconcile() == Reconciled(files=1, rows=2)
    assert list(Upload.objects.all()) == [kept]
    assert not Result.objects.filter(pk__in=[lost.pk, half.pk]).exists()
    assert not storages["uploads"].exists(orphan)
    assert storages["uploads"].exists(kept.name)


def test_what_is_on_its_way_stays(db: None) -> None:
    Result.objects.create(size=9, sha256="")
    storages["uploads"].save("health-0", ContentFile(b"health"))

    assert reconcile() == Reconciled(0, 0)


def test_a_file_that_goes_meanwhile(db: None, settled: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """The sweep, or another machine, was quicker."""

    def gone(name: str) -> datetime:
        raise FileNotFoundError(name)

    monkeypatch.setattr(FileSystemStorage, "get_modified_time", lambda self, name: gone(name))
    storages["uploads"].save("0", ContentFile(b"a picture"))

    assert reconcile() == Reconciled(0, 0)


def test_the_command(db: None) -> None:
    call_command("reconcile", stdout=(out := StringIO()))

    assert out.getvalue() == "0 files without rows and 0 rows without files deleted\n"
