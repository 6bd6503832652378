"""A refusal before the body is read still reaches a client that is busy sending it."""

import requests

from tests.live.service import Service

BIG = {"image": ("a.png", bytes(30 << 20))}


def test_too_large(service: Service) -> None:
    headers = {"X-API-Key": service.key()}
    response = requests.post(f"{service.url}/api/v1/remove-watermark", files=BIG, headers=headers, timeout=60)

    assert (response.status_code, response.json()["code"]) == (413, "body_too_large")


def test_without_a_key(service: Service) -> None:
    response = requests.post(f"{service.url}/api/v1/remove-watermark", files=BIG, timeout=60)

    assert (response.status_code, response.json()["code"]) == (401, "missing_api_key")


def test_a_chunked_body(service: Service) -> None:
    headers = {"X-API-Key": service.key(), "Content-Type": "multipart/form-data; boundary=x"}
    body = iter([b"--x\r\n", b"--x--\r\n"])
    response = requests.post(f"{service.url}/api/v1/remove-watermark", data=body, headers=headers, timeout=60)

    assert (response.status_code, response.json()["code"]) == (411, "length_required")
