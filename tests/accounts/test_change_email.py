"""Another address: it counts once the code that was mailed there is typed."""

from allauth.account.models import EmailAddress
from django.core.mail import EmailMessage

from tests.accounts.conftest import Person, code_in

URL = "/account/email/"


def test_it_works(carol: Person, mailoutbox: list[EmailMessage]) -> None:
    carol.confirm_password()
    carol.browser.post(URL, {"action_add": "", "email": "carol@new.example"})
    carol.user.refresh_from_db()
    assert carol.user.email == "carol@example.org"

    carol.browser.post("/account/confirm-email/", {"code": code_in(mailoutbox[0])})
    carol.user.refresh_from_db()
    assert carol.user.email == "carol@new.example"
    assert list(EmailAddress.objects.values_list("email", "verified")) == [("carol@new.example", True)]
    told = [mail.to for mail in mailoutbox if "has been changed" in mail.body]
    assert ["carol@example.org"] in told  # the old address learns of it


def test_a_wrong_code(carol: Person) -> None:
    carol.confirm_password()
    carol.browser.post(URL, {"action_add": "", "email": "carol@new.example"})
    carol.browser.post("/account/confirm-email/", {"code": "AAAA-AAAA"})

    carol.user.refresh_from_db()
    assert carol.user.email == "carol@example.org"


def test_somebody_elses_address_is_not_told(carol: Person, mailoutbox: list[EmailMessage]) -> None:
    other = Person("other@example.org")
    carol.confirm_password()
    carol.browser.post(URL, {"action_add": "", "email": other.user.email})

    carol.user.refresh_from_db()
    assert carol.user.email == "carol@example.org"
