"""What survives a restart and a kill -9."""

import io
import os
import socket
import threading
import time
from pathlib import Path

import numpy as np
import requests

from tests import pictures, wire
from tests.live.service import Service, running

PHOTO, MASK = pictures.photo(), pictures.box_mask()


def upload(service: Service, kind: str, pixels: np.ndarray) -> str:
    files = {kind: pictures.file(pixels)}
    return str(requests.post(f"{service.url}/upload-{kind}", files=files, timeout=60).json()["id"])


def used(service: Service, key: str) -> int:
    stats = requests.get(f"{service.url}/api/v1/stats", headers={"X-API-Key": key}, timeout=60).json()
    return int(stats["quota"]["used"])


def success(service: Service, key: str) -> int:
    stats = requests.get(f"{service.url}/api/v1/stats", headers={"X-API-Key": key}, timeout=60).json()
    return int(stats["success"])


def test_ids_and_results_survive_a_restart(tmp_path: Path, database_url: str) -> None:
    with running(tmp_path, DATABASE_URL=database_url) as service:
        ids = {"image_id": upload(service, "image", PHOTO), "mask_id": upload(service, "mask", MASK)}
        service.stop()
        service.start()
        answer = requests.post(f"{service.url}/inpaint-url", json=ids, timeout=60).json()
        service.stop()
        service.start()
        result = requests.get(answer["url"], timeout=60)

    np.testing.assert_array_equal(pictures.pixels(result.content)[MASK == 0], PHOTO[MASK == 0])


def test_a_kill_during_an_inpaint_costs_nothing_and_serves_nothing_half(tmp_path: Path, database_url: str) -> None:
    with running(tmp_path, DATABASE_URL=database_url, RESERVATION_TTL="2") as service:
        key = service.key()
        big, mask = pictures.photo(1600, 1200), pictures.box_mask(1600, 1200, (200, 200, 1400, 1000))
        headers = {"X-API-Key": key}

        def inpaint() -> None:
            files = {"image": pictures.file(big), "mask": pictures.file(mask)}
            try:
                requests.post(f"{service.url}/inpaint-multipart", files=files, headers=headers, timeout=60)
            except requests.ConnectionError:
                return  # it was killed, as it should be
            raise AssertionError("the picture was done before the kill")

        client = threading.Thread(target=inpaint)
        client.start()
        while not used(service, key):
            time.sleep(0.02)
        service.kill()
        client.join()
        assert not list((tmp_path / "data" / "results").glob("*"))

        time.sleep(2)  # the dead request's lease runs out
        service.start()
        files = {"image": pictures.file(PHOTO), "mask": pictures.file(MASK)}
        assert (
            requests.post(f"{service.url}/inpaint-multipart", files=files, headers=headers, timeout=60).status_code
            == 200
        )
        stats = requests.get(f"{service.url}/api/v1/stats", headers=headers, timeout=60).json()

    assert stats["quota"]["used"] == 1
    assert (stats["success"], stats["failed"]) == (1, 1)


def test_an_answer_that_a_kill_lost_is_had_again_free_of_charge(tmp_path: Path) -> None:
    """Its unit was spent before it was sent: the Idempotency-Key tells that the second request is the first."""
    with running(tmp_path, INPAINT_MODEL="patchmatch") as service:
        headers = {"X-API-Key": service.key(), "Idempotency-Key": "once"}
        url = f"{service.url}/api/v1/remove-watermark"

        def files() -> dict[str, io.BytesIO]:
            return {"image": pictures.file(PHOTO), "mask": pictures.file(MASK)}

        sent = requests.Request("POST", url, headers=headers, files=files()).prepare()
        head = "".join(f"{name}: {value}\r\n" for name, value in sent.headers.items())
        with socket.create_connection(("127.0.0.1", service.port)) as client:
            client.sendall(f"POST {sent.path_url} HTTP/1.1\r\nHost: localhost\r\n{head}\r\n".encode())
            assert isinstance(sent.body, bytes)
            client.sendall(sent.body)
            while not success(service, headers["X-API-Key"]):
                time.sleep(0.02)
            service.kill()
        service.start()
        again = requests.post(url, headers=headers, files=files(), timeout=60)

        assert (again.status_code, again.headers["Idempotency-Replayed"]) == (200, "true")
        assert "X-Credits-Charged" not in again.headers
        assert used(service, headers["X-API-Key"]) == 1


def received(service: Service, folder: Path) -> int:
    """Bytes of the service's open files in the folder, with a name or without."""
    (worker,) = Path(f"/proc/{service.process.pid}/task/{service.process.pid}/children").read_text().split()
    files = [file for file in Path(f"/proc/{worker}/fd").iterdir() if os.readlink(file).startswith(f"{folder}/")]
    return sum(file.stat().st_size for file in files)


def test_nothing_stays_of_an_upload_that_a_kill_cut_off(tmp_path: Path) -> None:
    """Files of a batch are received into temporary ones."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    with running(tmp_path, INPAINT_MODEL="patchmatch", TMPDIR=str(folder)) as service:
        half = wire.multipart((b'name="images"; filename="a.png"', bytes(4 << 20)))[: 3 << 20]
        head = f"Host: 127.0.0.1\r\nX-API-Key: {service.key()}\r\nContent-Length: {5 << 20}\r\n"
        head += "Content-Type: multipart/form-data; boundary=x\r\n"
        with socket.create_connection(("127.0.0.1", service.port)) as client:
            client.sendall(f"POST /api/v1/batch HTTP/1.1\r\n{head}\r\n".encode() + half)
            while received(service, folder) < 2 << 20:
                time.sleep(0.02)
            service.kill()

    assert not list(folder.rglob("*"))
