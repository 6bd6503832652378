"""/dashboard/marks: an account's saved marks in its browser, without a script."""

import io

from django.test import Client
from PIL import Image

from inpainting.models import SavedMark
from tests import pictures
from tests.conftest import Account
from tests.inpainting.saved_marks.logos import logo, photo

URL = "/dashboard/marks"


def browser(account: Account) -> Client:
    client = Client()
    client.force_login(account.user)
    return client


def add(visitor: Client, image: io.BytesIO) -> str:
    fields = {"name": "Our logo", "image": image, "anchor": "bottom-right", "opacity": "50"}
    return visitor.post(f"{URL}/new", fields, follow=True).content.decode()


def test_it_works(alice: Account) -> None:
    visitor = browser(alice)
    assert "No saved marks" in visitor.get(URL).content.decode()

    page = add(visitor, pictures.file(Image.fromarray(logo())))

    mark = SavedMark.objects.get()
    assert mark.opacity == 0.5
    assert "Our logo" in page
    assert mark.name in page
    thumbnail = visitor.get(f"{URL}/{mark.name}/thumbnail")
    assert Image.open(io.BytesIO(thumbnail.content)).mode == "RGBA"


def test_renaming_and_deleting(alice: Account) -> None:
    visitor = browser(alice)
    add(visitor, pictures.file(Image.fromarray(logo())))
    name = SavedMark.objects.get().name

    assert "A new name" in visitor.post(f"{URL}/{name}/rename", {"name": "A new name"}, follow=True).content.decode()
    assert "Delete “A new name”?" in visitor.get(f"{URL}/{name}/delete").content.decode()
    assert SavedMark.objects.exists()
    assert "No saved marks" in visitor.post(f"{URL}/{name}/delete", follow=True).content.decode()
    assert not SavedMark.objects.exists()


def test_a_file_without_alpha_is_refused(alice: Account) -> None:
    assert "needs an alpha channel" in add(browser(alice), pictures.file(photo()))
    assert not SavedMark.objects.exists()


def test_anothers_is_not_there(alice: Account, bob: Account) -> None:
    add(browser(alice), pictures.file(Image.fromarray(logo())))
    name = SavedMark.objects.get().name

    for page in ("rename", "delete", "thumbnail"):
        assert browser(bob).get(f"{URL}/{name}/{page}").status_code == 404
    assert browser(bob).post(f"{URL}/{name}/delete").status_code == 404
    assert "Our logo" not in browser(bob).get(URL).content.decode()
