"""Stripe hangs, and many come back from its pages: whoever wants something else is served."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import requests

from tests.accounts.billing import stripe_stub
from tests.live.service import running

ACCOUNTS, EACH = 3, 6
WORKERS = 2
MAKE = f"""
from django.test import Client
from accounts.models import StripeCustomer, User
for number in range({ACCOUNTS}):
    user = User.objects.create_user(f"{{number}}@example.org")
    StripeCustomer.objects.create(user=user, customer_id=f"cus_{{number}}")
    browser = Client()
    browser.force_login(user)
    print(browser.cookies["sessionid"].value)
"""


def test_everybody_else_is_served_meanwhile(tmp_path: Path) -> None:
    over = threading.Event()
    with (
        stripe_stub.running() as (stub, address),
        running(
            tmp_path,
            INPAINT_MODEL="patchmatch",
            WEB_THREADS=f"{WORKERS}",
            STRIPE_SECRET_KEY=stripe_stub.SECRET_KEY,
            STRIPE_WEBHOOK_SECRET=stripe_stub.WEBHOOK_SECRET,
            STRIPE_API_BASE=address,
        ) as service,
        ThreadPoolExecutor(ACCOUNTS * EACH) as browsers,
    ):
        stub.before = lambda method, path: over.wait(120)
        sessions = service.manage("shell", "--verbosity", "0", "-c", MAKE).split()

        def come_back(session: str) -> tuple[int, float]:
            began = time.monotonic()
            cookies = {"sessionid": session}
            page = requests.get(f"{service.url}/billing?paid=1", cookies=cookies, timeout=120, allow_redirects=False)
            return page.status_code, time.monotonic() - began

        answers = [browsers.submit(come_back, session) for session in sessions for _ in range(EACH)]
        while len(stub.requests) < ACCOUNTS:
            time.sleep(0.01)
        began = time.monotonic()
        for _ in range(3):
            assert requests.get(f"{service.url}/api/v1/stats", timeout=60).status_code == 401
        waited, still_waiting = time.monotonic() - began, sum(not each.done() for each in answers)
        took = [each.result() for each in answers]
        over.set()

    assert still_waiting > WORKERS
    assert waited < 3
    assert {status for status, _ in took} == {302}
    assert max(seconds for _, seconds in took) < 20
