"""Stripe's endpoints that billing uses, on a port of this machine, with the state that Stripe would keep.

Shapes and rules are those of Stripe's API reference (2026-10-28): deleting a customer cancels what it pays for, a
change with `error_if_incomplete` whose payment fails changes nothing, a schedule's phase begins where the last ends.
"""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

MONTH = 30 * 24 * 3600
SECRET_KEY = "sk_test_of_the_stub"
WEBHOOK_SECRET = "whsec_of_the_stub"
AMOUNTS = {"price_pack": 500, "price_big": 2000}  # in cents, of what is paid once


class Problem(Exception):
    def __init__(self, status: int, kind: str, message: str, code: str | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.body = {"error": {"type": kind, "message": message, "code": code}}


class StripeStub:
    def __init__(self) -> None:
        self.now = int(time.time())
        self.requests: list[tuple[str, str]] = []
        self.down = False
        self.card_is_refused = False
        self.expands = True  # as it is asked to; else only ids are given
        self.pages = "https://checkout.stripe.test"
        self.customers: dict[str, dict[str, Any]] = {}
        self.sessions: dict[str, dict[str, Any]] = {}
        self.subscriptions: dict[str, dict[str, Any]] = {}
        self.schedules: dict[str, dict[str, Any]] = {}
        self.intents: dict[str, dict[str, Any]] = {}
        self._by_idempotency_key: dict[str, dict[str, Any] | Problem] = {}
        self._ids = 0
        self.lock = threading.RLock()
        self.after_listing: Callable[[], None] = lambda: None
        self.before: Callable[[str, str], object] = lambda method, path: (
            None
        )  # a call is worked on; it may raise Problem
        self.makes_no_customers = False
        self.answers_are_lost = False  # what was asked for is done

    # --- what people and time do -------------------------------------------------------------------------------------

    def pay(self, session_url: str) -> dict[str, Any]:
        """The user fills in the payment page. A subscription begins."""
        session = next(session for session in self.sessions.values() if session["url"] == session_url)
        assert session["status"] == "open", "this page has been closed"
        session["status"] = "complete"
        return self.subscribe(session["customer"], session["line_items"][0]["price"])

    def pay_once(self, session_url: str, *, later: bool = False) -> dict[str, Any]:
        """The user pays for what is no subscription. `later`: by a way that takes days."""
        session = next(session for session in self.sessions.values() if session["url"] == session_url)
        assert session["status"] == "open", "this page has been closed"
        session.update(status="complete", payment_intent=self._id("pi"))
        intent = {"id": session["payment_intent"], "object": "payment_intent", "status": "processing"}
        self.intents[session["payment_intent"]] = {**intent, "latest_charge": None}
        if not later:
            self.money_arrives(session)
        return session

    def money_arrives(self, session: dict[str, Any]) -> None:
        session["payment_status"] = "paid"
        charge = {
            "id": self._id("ch"),
            "object": "charge",
            "customer": session["customer"],
            "payment_intent": session["payment_intent"],
            "amount": session["amount_total"],
            "amount_refunded": 0,
        }
        self.intents[session["payment_intent"]].update(status="succeeded", latest_charge=charge)

    def money_does_not_arrive(self, session: dict[str, Any]) -> None:
        self.intents[session["payment_intent"]]["status"] = "requires_payment_method"

    def refund(self, session: dict[str, Any], cents: int) -> dict[str, Any]:
        charge: dict[str, Any] = self.intents[session["payment_intent"]]["latest_charge"]
        charge["amount_refunded"] += cents
        assert charge["amount_refunded"] <= charge["amount"]
        return charge

    def subscribe(self, customer: str, price: str) -> dict[str, Any]:
        item: dict[str, Any] = {
            "id": self._id("si"),
            "object": "subscription_item",
            "price": {"id": price, "object": "price"},
            "quantity": 1,
            "current_period_start": self.now,
            "current_period_end": self.now + MONTH,
        }
        subscription: dict[str, Any] = {
            "id": self._id("sub"),
            "object": "subscription",
            "customer": customer,
            "status": "active",
            "cancel_at_period_end": False,
            "cancel_at": None,
            "schedule": None,
            "items": {"object": "list", "data": [item]},
        }
        self.subscriptions[subscription["id"]] = subscription
        return subscription

    def period_ends(self, subscription: dict[str, Any]) -> None:
        """A month later: cancelled, changed as scheduled, or renewed if the card pays."""
        item = subscription["items"]["data"][0]
        if subscription["cancel_at_period_end"]:
            subscription["status"] = "canceled"
            return
        item["current_period_start"], item["current_period_end"] = (
            item["current_period_end"],
            item["current_period_end"] + MONTH,
        )
        subscription["status"] = "past_due" if self.card_is_refused else "active"
        schedule = self.schedules.get(subscription["schedule"] or "")
        if schedule:
            item["price"] = {"id": schedule["phases"][1]["items"][0]["price"], "object": "price"}
            subscription["schedule"] = None

    # --- the API -----------------------------------------------------------------------------------------------------

    def answer(self, method: str, path: str, form: dict[str, Any], headers: Any) -> dict[str, Any]:
        self.requests.append((method, path))
        if self.down:
            raise Problem(503, "api_error", "Stripe is down.")
        if headers["Authorization"] != f"Bearer {SECRET_KEY}":
            raise Problem(401, "invalid_request_error", "Invalid API Key provided.")
        self.before(method, path)
        answer = self._route(method, path, form, headers)
        if self.answers_are_lost:
            raise ConnectionAbortedError
        if (method, path) == ("GET", "/v1/subscriptions"):
            self.after_listing()
        return answer

    def _route(self, method: str, path: str, form: dict[str, Any], headers: Any) -> dict[str, Any]:
        with self.lock:
            key = headers["Idempotency-Key"] if method == "POST" else None
            if not key:
                return self._act(method, path, form)
            if key not in self._by_idempotency_key:
                try:
                    self._by_idempotency_key[key] = self._act(method, path, form)
                except Problem as problem:  # an error is remembered as well
                    self._by_idempotency_key[key] = problem
            answer = self._by_idempotency_key[key]
            if isinstance(answer, Problem):
                raise answer
            return answer

    def _act(self, method: str, path: str, form: dict[str, Any]) -> dict[str, Any]:
        for verb, pattern, action in self._routes():
            found = re.fullmatch(pattern, path)
            if verb == method and found:
                answer: dict[str, Any] = json.loads(json.dumps(action(*found.groups(), form)))
                return answer
        raise Problem(404, "invalid_request_error", f"Unrecognized request URL ({method}: {path}).")

    def _routes(self) -> list[tuple[str, str, Callable[..., Any]]]:
        one = r"([a-z_0-9]+)"
        return [
            ("POST", "/v1/customers", self._create_customer),
            ("GET", "/v1/customers", self._list_customers),
            ("DELETE", f"/v1/customers/{one}", self._delete_customer),
            ("GET", "/v1/subscriptions", self._list_subscriptions),
            ("GET", f"/v1/subscriptions/{one}", lambda name, form: self._found(self.subscriptions, name)),
            ("POST", f"/v1/subscriptions/{one}", self._update_subscription),
            ("GET", "/v1/checkout/sessions", self._list_sessions),
            ("POST", "/v1/checkout/sessions", self._create_session),
            ("GET", f"/v1/checkout/sessions/{one}", self._retrieve_session),
            ("POST", f"/v1/checkout/sessions/{one}/expire", self._expire_session),
            ("GET", f"/v1/payment_intents/{one}", self._retrieve_intent),
            ("GET", f"/v1/charges/{one}", self._retrieve_charge),
            ("POST", "/v1/subscription_schedules", self._create_schedule),
            ("POST", f"/v1/subscription_schedules/{one}", self._update_schedule),
            ("POST", f"/v1/subscription_schedules/{one}/release", self._release_schedule),
            ("POST", "/v1/billing_portal/sessions", self._create_portal),
        ]

    def _create_customer(self, form: dict[str, Any]) -> dict[str, Any]:
        if self.makes_no_customers:
            raise Problem(500, "api_error", "Something went wrong on Stripe's end.")
        customer = {"id": self._id("cus"), "object": "customer", **form}
        self.customers[customer["id"]] = customer
        return customer

    def _list_customers(self, form: dict[str, Any]) -> dict[str, Any]:
        found = [row for row in self.customers.values() if row["email"] == form["email"]]
        return {"object": "list", "data": found, "has_more": False, "url": "/v1/customers"}

    def _delete_customer(self, name: str, form: dict[str, Any]) -> dict[str, Any]:
        self._found(self.customers, name)
        del self.customers[name]
        for subscription in self.subscriptions.values():
            if subscription["customer"] == name:
                subscription["status"] = "canceled"
        return {"id": name, "object": "customer", "deleted": True}

    def _list_subscriptions(self, form: dict[str, Any]) -> dict[str, Any]:
        self._found(self.customers, form["customer"])
        mine = [row for row in self.subscriptions.values() if row["customer"] == form["customer"]]
        living = [row for row in mine if row["status"] != "canceled"]  # without status= Stripe leaves these out
        if form.get("expand") == ["data.schedule"]:
            living = [{**row, "schedule": self.schedules.get(row["schedule"] or "")} for row in living]
        return {"object": "list", "data": living, "has_more": False, "url": "/v1/subscriptions"}

    def _update_subscription(self, name: str, form: dict[str, Any]) -> dict[str, Any]:
        subscription = self._found(self.subscriptions, name)
        if "cancel_at_period_end" in form:
            assert not subscription["schedule"], "managed by a schedule"
            subscription["cancel_at_period_end"] = form["cancel_at_period_end"] == "true"
        if form.get("cancel_at") == "":
            subscription["cancel_at"] = None
        if "items" in form:
            item = subscription["items"]["data"][0]
            assert form["items"][0]["id"] == item["id"]
            if self.card_is_refused and form["payment_behavior"] == "error_if_incomplete":
                raise Problem(402, "card_error", "Your card was declined.", "card_declined")
            item["price"] = {"id": form["items"][0]["price"], "object": "price"}
        return subscription

    def _list_sessions(self, form: dict[str, Any]) -> dict[str, Any]:
        wanted = {name: value for name, value in form.items() if name != "limit"}
        found = [row for row in self.sessions.values() if all(row[name] == wanted[name] for name in wanted)]
        return {"object": "list", "data": found, "has_more": False, "url": "/v1/checkout/sessions"}

    def _create_session(self, form: dict[str, Any]) -> dict[str, Any]:
        self._found(self.customers, form["customer"])
        name = self._id("cs")
        paid_once = AMOUNTS[form["line_items"][0]["price"]] if form["mode"] == "payment" else 0
        unpaid = {"payment_status": "unpaid", "payment_intent": None, "amount_total": paid_once}
        session = {"id": name, "object": "checkout.session", "status": "open", **unpaid, **form}
        session["url"] = f"{self.pages}/{name}"
        self.sessions[name] = session
        return session

    def _retrieve_session(self, name: str, form: dict[str, Any]) -> dict[str, Any]:
        session = self._found(self.sessions, name)
        assert form in ({}, {"expand": ["payment_intent.latest_charge"]})
        expands = self.expands and form
        return {**session, "payment_intent": self.intents.get(session["payment_intent"])} if expands else session

    def _retrieve_intent(self, name: str, form: dict[str, Any]) -> dict[str, Any]:
        intent = self._found(self.intents, name)
        return {**intent, "latest_charge": (intent["latest_charge"] or {}).get("id")}

    def _retrieve_charge(self, name: str, form: dict[str, Any]) -> Any:
        return next(row["latest_charge"] for row in self.intents.values() if row["latest_charge"]["id"] == name)

    def _expire_session(self, name: str, form: dict[str, Any]) -> dict[str, Any]:
        session = self._found(self.sessions, name)
        if session["status"] != "open":
            raise Problem(400, "invalid_request_error", "Only Checkout Sessions that are open can be expired.")
        session["status"] = "expired"
        return session

    def _create_schedule(self, form: dict[str, Any]) -> dict[str, Any]:
        subscription = self._found(self.subscriptions, form["from_subscription"])
        assert not subscription["schedule"], "it has one already"
        item = subscription["items"]["data"][0]
        phase = {
            "items": [{"price": item["price"]["id"], "quantity": item["quantity"]}],
            "start_date": item["current_period_start"],
            "end_date": item["current_period_end"],
        }
        name = self._id("sub_sched")
        self.schedules[name] = {"id": name, "object": "subscription_schedule", "phases": [phase], "end_behavior": None}
        subscription["schedule"] = name
        return self.schedules[name]

    def _update_schedule(self, name: str, form: dict[str, Any]) -> dict[str, Any]:
        schedule = self._found(self.schedules, name)
        phases, start = [], int(form["phases"][0]["start_date"])
        for phase in form["phases"]:
            months = int(phase.get("duration", {}).get("interval_count", 0))
            end = start + months * MONTH if months else int(phase["end_date"])
            phases.append({"items": phase["items"], "start_date": start, "end_date": end})
            start = end
        schedule.update(phases=phases, end_behavior=form["end_behavior"])
        return schedule

    def _release_schedule(self, name: str, form: dict[str, Any]) -> dict[str, Any]:
        schedule = self._found(self.schedules, name)
        for subscription in self.subscriptions.values():
            if subscription["schedule"] == name:
                subscription["schedule"] = None
        return schedule

    def _create_portal(self, form: dict[str, Any]) -> dict[str, Any]:
        self._found(self.customers, form["customer"])
        return {"object": "billing_portal.session", "url": "https://portal.stripe.test/" + form["customer"], **form}

    def _found(self, rows: dict[str, dict[str, Any]], name: str) -> dict[str, Any]:
        if name not in rows:
            raise Problem(404, "invalid_request_error", f"No such object: '{name}'", "resource_missing")
        return rows[name]

    def _id(self, prefix: str) -> str:
        self._ids += 1
        return f"{prefix}_{self._ids}"


@contextmanager
def running() -> Iterator[tuple[StripeStub, str]]:
    """The stub and its address."""
    stub = StripeStub()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _serve(self) -> None:
            address = urlsplit(self.path)
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
            try:
                status, answer = (
                    200,
                    stub.answer(
                        self.command, address.path, _nested(parse_qsl(body or address.query, True)), self.headers
                    ),
                )
            except Problem as problem:
                status, answer = problem.status, problem.body
            except ConnectionAbortedError:
                self.close_connection = True
                return
            content = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.send_header("Stripe-Should-Retry", "false")
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_DELETE = _serve  # noqa: N815

        def log_message(self, *arguments: Any) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    try:
        yield stub, f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def _nested(pairs: list[tuple[str, str]]) -> dict[str, Any]:
    """items[0][price]=p to {"items": [{"price": "p"}]}."""
    tree: dict[str, Any] = {}
    for name, value in pairs:
        first, *path = re.findall(r"[^\[\]]+", name)
        at = tree
        for here, _ in zip([first, *path], path, strict=False):
            at = at.setdefault(here, {})
        at[path[-1] if path else first] = value
    return {name: _lists(value) for name, value in tree.items()}


def _lists(tree: Any) -> Any:
    if not isinstance(tree, dict):
        return tree
    if tree and all(key.isdigit() for key in tree):
        return [_lists(tree[key]) for key in sorted(tree, key=int)]
    return {key: _lists(value) for key, value in tree.items()}
