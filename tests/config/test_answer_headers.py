"""What is nobody else's business is kept nowhere, and no page may use a camera."""

import pytest
from django.test import Client

from inpainting import storage
from tests.conftest import Account
from tests.inpainting.api.test_remove_watermark import send


def test_it_works(alice: Account) -> None:
    for response in (send(alice.client), alice.client.get("/api/v1/stats"), alice.client.get("/api/v1/nothing")):
        assert response["Cache-Control"] == "no-store"
        assert "camera=()" in response["Permissions-Policy"]


@pytest.mark.parametrize("path", ["/dashboard", "/billing", "/editor"])
def test_pages_of_an_account(alice: Account, client: Client, path: str) -> None:
    client.force_login(alice.user)
    response = client.get(path)

    assert response.status_code == 200
    assert "no-store" in response["Cache-Control"]


def test_a_result_may_be_kept(public: Client) -> None:
    assert "immutable" in public.get(f"/download/{storage.put_result(b'x', None).name}")["Cache-Control"]
