"""A refusal before the body is read still reaches a client that is busy sending it."""

import requests

from tests import pictures, wire
from tests.live.service import Service

BIG = {"image": ("a.png", bytes(30 << 20))}


def test_too_large(service: Service) -> None:
    headers = {"X-API-Key": service.key()}
    response = requests.post(f"{service.url}/api/v1/remove-watermark", files=BIG, headers=headers, timeout=60)

    assert (response.status_code, response.json()["code"]) == (413, "body_too_large")


def test_without_a_key(service: Service) -> None:
    response = requests.post(f"{service.url}/api/v1/remove-watermark", files=BIG, timeout=60)

    assert (response.status_code, response.json()["code"]) == (401, "missing_api_key")


def test_chunks(service: Service) -> None:
    """As the v1 document's own Node example sends them."""
    headers = {"X-API-Key": service.key(), "Content-Type": "multipart/form-data; boundary=x"}
    body = wire.multipart((b'name="image"; filename="a.png"', pictures.file(pictures.photo()).getvalue()))
    pieces = [body[start : start + 1000] for start in range(0, len(body), 1000)]
    response = requests.post(f"{service.url}/api/v1/remove-watermark", data=iter(pieces), headers=headers, timeout=60)

    assert (response.status_code, response.headers["Content-Type"]) == (200, "image/png")


def test_too_many_chunks(service: Service) -> None:
    headers = {"X-API-Key": service.key(), "Content-Type": "multipart/form-data; boundary=x"}
    body = wire.multipart((b'name="image"; filename="a.png"', bytes(22 << 20)))
    pieces = (body[start : start + (1 << 20)] for start in range(0, len(body), 1 << 20))
    response = requests.post(f"{service.url}/api/v1/remove-watermark", data=pieces, headers=headers, timeout=60)

    assert (response.status_code, response.json()["code"]) == (413, "body_too_large")
