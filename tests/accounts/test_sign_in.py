"""/login and /logout; the admin's door is the same."""

from allauth.account.models import EmailAddress
from django.core.mail import EmailMessage
from django.test import Client

from accounts.models import User
from tests.accounts.conftest import PAGE, PASSWORD, Person, code_in


def test_it_works(carol: Person) -> None:
    assert carol.browser.get("/dashboard").status_code == 200
    assert carol.browser.post("/logout")["Location"] == "/"
    assert carol.browser.get("/dashboard")["Location"] == "/login?next=/dashboard"


def test_a_wrong_password_reads_like_an_unknown_address(carol: Person) -> None:
    wrong = Client(headers=PAGE).post("/login", {"login": carol.user.email, "password": "wrong"})
    unknown = Client(headers=PAGE).post("/login", {"login": "nobody@example.org", "password": "wrong"})

    assert wrong.status_code == unknown.status_code == 200
    for page in (wrong, unknown):
        assert b"The email address and/or password you specified are not correct." in page.content


def test_guessing_is_stopped(carol: Person) -> None:
    carol.browser.post("/logout")
    for _ in range(5):
        carol.sign_in("wrong")

    assert carol.sign_in() == ""
    page = carol.browser.post("/login", {"login": carol.user.email, "password": PASSWORD})
    assert b"Too many failed login attempts" in page.content


def test_an_account_of_staffs_making_confirms_its_address_first(db: None, mailoutbox: list[EmailMessage]) -> None:
    User.objects.create_superuser("root@example.org", PASSWORD)
    browser = Client(headers=PAGE)

    response = browser.post("/login", {"login": "root@example.org", "password": PASSWORD})
    assert response["Location"] == "/account/confirm-email/"
    browser.post("/account/confirm-email/", {"code": code_in(mailoutbox[0])})
    assert browser.get("/admin/").status_code == 200
    assert EmailAddress.objects.get().verified


def test_a_closed_account(carol: Person) -> None:
    User.objects.update(is_active=False)

    assert carol.browser.get("/dashboard").status_code == 302
    assert carol.sign_in() == "/account/inactive/"


def test_next_leads_nowhere_else(carol: Person) -> None:
    carol.browser.post("/logout")
    form = {"login": carol.user.email, "password": PASSWORD, "next": "https://evil.example/"}

    assert carol.browser.post("/login", form)["Location"] == "/dashboard"


def test_signing_out_takes_a_form(carol: Person) -> None:
    assert carol.browser.get("/logout").status_code == 200
    assert carol.browser.get("/dashboard").status_code == 200


def test_the_admin_has_no_door_of_its_own(carol: Person) -> None:
    assert Client(headers=PAGE).get("/admin/login/?next=/admin/")["Location"].startswith("/login")
    assert carol.browser.get("/admin/login/?next=/admin/").status_code == 403
