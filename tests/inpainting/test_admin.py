"""Staff see batches and their items, cancel, and change nothing else; they see no picture and no picture's name."""

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission
from django.test import Client

from accounts.models import User
from inpainting.batches.models import Batch
from inpainting.models import Upload
from tests.conftest import Account
from tests.inpainting.batches.conftest import submit

BATCHES, ITEMS = "/admin/inpainting/batch/", "/admin/inpainting/item/"


def staff(*permissions: str) -> Client:
    user = User.objects.create_user("staff@example.org", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def batch(alice: Account) -> Batch:
    batch = submit(alice)
    batch.items.filter(index=0).update(name="secret.png", state="failed", error={"code": "some_code", "detail": "Why."})
    return batch


def test_it_works(batch: Batch) -> None:
    visitor = staff("view_batch", "view_item")
    item = batch.items.get(index=0)
    assert item.image is not None
    pages = [
        visitor.get(path).content.decode()
        for path in (BATCHES, f"{BATCHES}{batch.pk}/change/", ITEMS, f"{ITEMS}{item.pk}/change/")
    ]

    assert all("alice@example.org" in page for page in pages)
    assert all("queued (<a" in page and ">1 queued, 1 failed</a>" in page for page in pages[:2])
    assert ">Batches</a>" in pages[1]
    assert "some_code" in pages[2]
    assert "Why." in pages[3]
    assert not any("secret.png" in page or item.image.name in page for page in pages)
    found = visitor.get(f"{ITEMS}?batch__id__exact={batch.pk}&state__exact=failed").context["cl"]
    assert found.result_count == 1


@pytest.mark.parametrize("words", ["alice", "nobody", "%", "f" * 32])
def test_search(batch: Batch, words: str) -> None:
    visitor = staff("view_batch", "view_item")
    for path, found in ((BATCHES, 1), (ITEMS, 2)):
        assert visitor.get(path, {"q": words}).context["cl"].result_count == (found if words == "alice" else 0)
    assert visitor.get(BATCHES, {"q": str(batch.pk)}).context["cl"].result_count == 1


def test_cancel(batch: Batch) -> None:
    chosen = {"action": "cancel", "_selected_action": [str(batch.pk)]}
    visitor = staff("view_batch", "change_batch")
    page = visitor.post(BATCHES, chosen, follow=True).content.decode()

    assert "Cancelled: 1." in page
    assert sorted(batch.items.values_list("state", flat=True)) == ["cancelled", "failed"]
    assert not Upload.objects.exists()
    assert batch.items.get(state="cancelled").usage is None  # its unit went back
    assert LogEntry.objects.get().get_change_message() == "Cancelled."


def test_who_may_only_look_cancels_nothing(batch: Batch) -> None:
    staff("view_batch").post(BATCHES, {"action": "cancel", "_selected_action": [str(batch.pk)]})

    assert batch.items.filter(state="queued").exists()


@pytest.mark.parametrize("lookup", ["name__startswith=a", "image_url__exact=a", "image__name__startswith=a"])
def test_nobody_asks_for_files_names_letter_by_letter(batch: Batch, lookup: str) -> None:
    assert staff("view_item").get(f"{ITEMS}?{lookup}").status_code == 400


def test_what_a_batch_is_told_is_not_searched(batch: Batch) -> None:
    assert staff("view_batch").get(f"{BATCHES}?metadata__contains=a").status_code == 400


def test_read_only(batch: Batch) -> None:
    visitor = staff("view_batch", "change_batch", "add_batch", "delete_batch", "change_item", "delete_item")
    item = batch.items.get(index=0)
    for path in (f"{BATCHES}add/", f"{BATCHES}{batch.pk}/delete/", f"{ITEMS}add/", f"{ITEMS}{item.pk}/delete/"):
        assert visitor.get(path).status_code == 403
    for path in (f"{BATCHES}{batch.pk}/change/", f"{ITEMS}{item.pk}/change/"):
        assert visitor.post(path, {"state": "queued"}).status_code == 403
