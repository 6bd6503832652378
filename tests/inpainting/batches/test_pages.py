"""/batches: an account's batches in its browser."""

import io
import zipfile
from typing import Any

import pytest
from django.conf import settings
from django.core.files.storage import storages
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from PIL import Image

from accounts.models import Plan, PlanModel, Usage
from inpainting.batches.models import Batch, Item
from inpainting.batches.pages import ITEMS_PAGE_SIZE, PAGE_SIZE
from inpainting.batches.work import Worker
from inpainting.models import Result, Upload
from tests import pictures
from tests.conftest import Account
from tests.inpainting.batches.conftest import submit


def work() -> None:
    while Worker().work_next():
        pass


def browser(account: Account) -> Client:
    client = Client()
    client.force_login(account.user)
    return client


def text(response: Any) -> str:
    assert response.status_code == 200
    return " ".join(response.content.decode().split())


def fail(batch: Batch, index: int = 0) -> None:
    """Its picture cannot be read by the time that a worker has it."""
    upload = batch.items.get(index=index).image
    assert upload is not None
    storages["uploads"].delete(upload.name)


def test_a_picture_in_which_nothing_was_found_says_so(alice: Account) -> None:
    batch = submit(alice)
    work()
    batch.items.filter(index=0).update(mask_source="none")
    page = text(browser(alice).get(f"/batches/{batch.pk}"))
    assert page.count("Nothing found") == 1
    assert page.count('<span class="badge good">Done</span> ') == 1


def test_it_works(alice: Account) -> None:
    batch, visitor = submit(alice), browser(alice)
    page = text(visitor.get("/batches"))
    assert "Waiting" in page
    assert "0 of 2 done" in page
    assert f'<a href="/batches/{batch.pk}">0.png and 1 more</a>' in page

    work()
    page = text(visitor.get("/batches"))
    assert "Done" in page
    assert '<progress max="2" value="2"' in page
    page = text(visitor.get(f"/batches/{batch.pk}"))
    assert "32 pixels; 2.3% of them were worked on, in" in page

    small = visitor.get(f"/batches/{batch.pk}/thumbnails/1")
    assert pictures.pixels(small.content).shape == (32, 48, 3)
    assert (small["Content-Type"], small["Cache-Control"][:16]) == ("image/webp", "private, max-age")
    archive = visitor.get(f"/batches/{batch.pk}/results.zip").getvalue()
    assert zipfile.ZipFile(io.BytesIO(archive)).namelist() == ["0.png", "1.png"]


def test_a_thumbnail_is_small_and_keeps_what_is_transparent(alice: Account) -> None:
    batch = submit(alice, 1)
    work()
    large = pictures.file(Image.new("RGBA", (2000, 1000), (255, 0, 0, 0))).getvalue()
    name = Result.objects.get().name
    storages["results"].delete(name)
    storages["results"].save(name, io.BytesIO(large))
    Result.objects.update(size=len(large))

    small = pictures.pixels(browser(alice).get(f"/batches/{batch.pk}/thumbnails/0").content)
    assert small.shape == (96, 192, 4)
    assert not small[..., 3].any()


def test_nobody_has_sent_one(alice: Account) -> None:
    page = text(browser(alice).get("/batches"))

    assert f"{settings.SITE_URL}/api/v1/batch" in page
    assert f'"X-API-Key: {alice.key.prefix}…"' in page
    assert alice.secret not in page
    alice.key.revoke()
    assert '"X-API-Key: YOUR-KEY"' in text(browser(alice).get("/batches"))


@pytest.mark.parametrize("path", ["", "/delete", "/results.zip", "/thumbnails/0"])
def test_what_is_others_is_not_there(alice: Account, bob: Account, path: str) -> None:
    batch = submit(alice)
    work()

    assert browser(alice).get(f"/batches/{batch.pk}{path}").status_code == 200
    assert browser(bob).get(f"/batches/{batch.pk}{path}").status_code == 404
    assert Client().get(f"/batches/{batch.pk}{path}")["Location"].startswith("/login?next=/batches/")
    assert str(batch.pk) not in text(browser(bob).get("/batches"))


@pytest.mark.parametrize("action", ["retry", "delete"])
def test_others_change_nothing(alice: Account, bob: Account, action: str) -> None:
    batch = submit(alice)

    assert browser(bob).post(f"/batches/{batch.pk}/{action}").status_code == 404
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(alice.user)
    assert strict.post(f"/batches/{batch.pk}/{action}").status_code == 403
    assert batch.items.filter(state="queued").count() == 2


def test_what_failed_says_why_and_is_tried_again(alice: Account) -> None:
    batch, visitor = submit(alice), browser(alice)
    fail(batch)
    work()
    page = text(visitor.get(f"/batches/{batch.pk}"))
    item = batch.items.get(index=0)
    assert item.error is not None
    assert "Done in part" in page
    assert f"{item.error['detail']} <code>{item.error['code']}</code>" in page

    upload = item.image
    assert upload is not None
    storages["uploads"].save(upload.name, pictures.file(pictures.photo(48, 32)))
    page = text(visitor.post(f"/batches/{batch.pk}/retry", follow=True))
    assert "1 of its pictures waits to be tried again." in page
    work()
    assert batch.items.filter(state="succeeded").count() == 2
    assert Usage.objects.filter(charged=1, api_key=alice.key).count() == 2
    assert "Try what failed again" not in text(visitor.get(f"/batches/{batch.pk}"))
    assert "Nothing can be tried again" in text(visitor.post(f"/batches/{batch.pk}/retry", follow=True))


def test_no_unit_is_left_to_try_again(bob: Account) -> None:
    batch = submit(bob)
    fail(batch)
    work()
    bob.limit(quota=1)

    page = text(browser(bob).post(f"/batches/{batch.pk}/retry", follow=True))
    assert "uota" in page
    assert batch.items.get(index=0).state == Item.State.FAILED


def test_its_model_is_not_on_the_plan_any_more(bob: Account) -> None:
    batch = submit(bob)
    fail(batch)
    work()
    PlanModel.objects.create(plan=Plan.objects.get(slug="free"), model="patchmatch", units=None)

    page = text(browser(bob).post(f"/batches/{batch.pk}/retry", follow=True))
    assert "is not on the plan" in page
    assert batch.items.get(index=0).state == Item.State.FAILED


def test_cancelled_and_deleted_after_a_question(alice: Account) -> None:
    batch, visitor = submit(alice), browser(alice)
    Worker().work_next()
    question = text(visitor.get(f"/batches/{batch.pk}/delete"))
    assert "1 of its 2 pictures has not ended" in question
    assert Result.objects.exists()

    page = text(visitor.post(f"/batches/{batch.pk}/delete", follow=True))
    assert "Cancelled" in page
    assert "The result is deleted or has expired." in page
    assert "thumbnails" not in page
    assert "Download ZIP" not in page
    assert not Result.objects.exists() | Upload.objects.exists()
    assert Usage.objects.get().charged == 1
    assert visitor.get(f"/batches/{batch.pk}/thumbnails/0").status_code == 404


def test_it_moves_while_something_is_open(alice: Account) -> None:
    batch, visitor = submit(alice, 1), browser(alice)
    moving = ('http-equiv="refresh"', "live.js", "data-open")
    for path in ("/batches", f"/batches/{batch.pk}"):
        assert all(sign in text(visitor.get(path)) for sign in moving)
    work()
    for path in ("/batches", f"/batches/{batch.pk}"):
        assert not any(sign in text(visitor.get(path)) for sign in moving)


def test_pages(alice: Account) -> None:
    batches = [Batch(owner=alice.user, expires_at="2099-01-01T00:00Z") for _ in range(PAGE_SIZE + 1)]
    Batch.objects.bulk_create(batches)
    names = [f"picture {index}.png" for index in range(ITEMS_PAGE_SIZE + 1)]
    rows = [Item(batch=batches[0], owner=alice.user, index=i, name=name, options={}) for i, name in enumerate(names)]
    Item.objects.bulk_create(rows)
    visitor = browser(alice)

    assert "Page 1 of 2" in text(visitor.get("/batches"))
    assert text(visitor.get("/batches?page=2")).count('class="card"') == 1
    assert "picture 50.png" in text(visitor.get(f"/batches/{batches[0].pk}?page=2"))
    assert "Page 1 of 2" in text(visitor.get("/batches?page=%00"))
    assert "Page 2 of 2" in text(visitor.get(f"/batches?page={10**30}"))


def test_as_many_queries_for_many_as_for_one(alice: Account) -> None:
    visitor = browser(alice)
    submit(alice, 1)
    with CaptureQueriesContext(connection) as few:
        visitor.get("/batches")
    for _ in range(3):
        submit(alice, 2)
    with CaptureQueriesContext(connection) as many:
        visitor.get("/batches")
    assert len(few) == len(many)


@pytest.mark.parametrize("path", ["nothing", f"{'0' * 8}-0000-0000-0000-{'0' * 12}"])
def test_what_is_not_there(alice: Account, path: str) -> None:
    assert browser(alice).get(f"/batches/{path}").status_code == 404


def test_a_thumbnail_that_is_not_there(alice: Account) -> None:
    batch = submit(alice, 1)
    address = f"/batches/{batch.pk}/thumbnails"
    assert browser(alice).get(f"{address}/0").status_code == 404  # not yet
    assert browser(alice).get(f"{address}/{10**30}").status_code == 404
    work()
    storages["results"].delete(Result.objects.get().name)
    assert browser(alice).get(f"{address}/0").status_code == 404
