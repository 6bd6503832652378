"""Webhooks of a real service that is killed in the middle: every event arrives, signed."""

import time
from collections import Counter
from pathlib import Path

import requests
from standardwebhooks import Webhook

from tests.live.service import running
from tests.live.test_batches import state, submit
from tests.web import Web, serving

PICTURES = 12


class Heard:
    """What arrived, verified as it comes: the library refuses signatures older than five minutes."""

    def __init__(self, web: Web, secret: str) -> None:
        self._web, self._verifier, self._read = web, Webhook(secret), 0
        self.types: dict[str, str] = {}

    def listen(self) -> int:
        """How many different events that is by now."""
        for body in self._web.bodies[self._read :]:
            head = self._web.heads[self._read]
            headers = dict(line.split(": ", 1) for line in head.splitlines()[1:] if ": " in line)
            self.types[headers["webhook-id"]] = self._verifier.verify(body, headers)["type"]
            self._read += 1
        return len(self.types)


def test_no_event_is_lost_when_the_service_is_killed(tmp_path: Path) -> None:
    env = {"DEBUG": "1", "FETCH_ALLOWED_NETWORKS": "127.0.0.0/8", "ITEM_LEASE": "3", "INPAINT_MODEL": "patchmatch"}
    with serving() as web, running(tmp_path, **env) as service:
        key = service.key()
        wanted = {"url": web.put("/hook", b""), "events": ["item.succeeded", "batch.succeeded"]}
        made = requests.post(f"{service.url}/api/v1/webhooks", json=wanted, headers={"X-API-Key": key}, timeout=60)
        heard = Heard(web, made.json()["secret"])
        batch = submit(service, key, PICTURES)
        deadline = time.monotonic() + 300
        while not heard.listen():
            assert time.monotonic() < deadline, service.log.read_text()[-3000:]
            time.sleep(0.05)
        service.kill()
        service.start()
        while heard.listen() < PICTURES + 1:
            assert time.monotonic() < deadline, (state(key, batch), service.log.read_text()[-3000:])
            time.sleep(0.2)

    assert Counter(heard.types.values()) == {"item.succeeded": PICTURES, "batch.succeeded": 1}
