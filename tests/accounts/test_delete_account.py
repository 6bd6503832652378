"""Delete my account: keys dead at once, files gone, usage kept without a name."""

from typing import Any

import pytest
from allauth.account.models import EmailAddress
from allauth.usersessions.models import UserSession
from django.contrib.admin.models import CHANGE, LogEntry
from django.core.files.storage import storages
from django.core.mail import EmailMessage
from django.db import IntegrityError
from django.test import Client
from django.utils import timezone

from accounts.deletion import DELETED_STAFF, delete_account
from accounts.models import ApiKey, Usage, User
from inpainting import service, storage
from inpainting.models import Result
from tests.accounts.conftest import PAGE, PASSWORD, Person
from tests.inpainting.api.test_object_remover import upload
from tests.inpainting.api.test_remove_watermark import send

URL = "/account/delete"


def test_it_works(carol: Person) -> None:
    _, secret = ApiKey.objects.issue(carol.user, "laptop")
    program = Client(headers={"X-API-Key": secret})
    send(program)
    upload(program, "image")
    carol.confirm_password()
    assert storages["uploads"].listdir("")[1]

    assert carol.browser.post(URL, {"email": "Carol@example.org"})["Location"] == "/"
    assert program.get("/api/v1/stats").status_code == 401
    assert not storages["uploads"].listdir("")[1]
    assert not User.objects.exists() | EmailAddress.objects.exists() | UserSession.objects.exists()
    assert carol.browser.get("/dashboard").status_code == 302
    assert carol.sign_in() == ""

    usage = Usage.objects.get()
    assert (usage.user, usage.api_key, usage.idempotency_key, usage.state) == (None, None, None, "succeeded")


def test_its_owner_hears_of_it(
    carol: Person, mailoutbox: list[EmailMessage], settings: Any, django_capture_on_commit_callbacks: Any
) -> None:
    settings.CONTACT_EMAIL = "support@example.org"
    carol.confirm_password()
    mailoutbox.clear()
    with django_capture_on_commit_callbacks(execute=True):
        carol.browser.post(URL, {"email": "Carol@example.org"})

    (mail,) = mailoutbox
    assert (mail.to, mail.subject) == ([carol.user.email], "[Object Remover] Your account was deleted")
    assert f"your account was deleted on {timezone.now():%-d %B %Y}" in mail.body
    assert "write to support@example.org" in mail.body


def test_a_mail_that_cannot_be_sent_keeps_no_account(
    carol: Person, monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any
) -> None:
    def down(*arguments: Any) -> None:
        raise ConnectionRefusedError

    monkeypatch.setattr("accounts.mail.send_mail", down)
    carol.confirm_password()
    with django_capture_on_commit_callbacks(execute=True):
        assert carol.browser.post(URL, {"email": "Carol@example.org"})["Location"] == "/"
    assert not User.objects.exists()


def test_a_result_that_is_stored_meanwhile_goes_too(carol: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    delete = User.delete

    def delete_after_somebody_stored(user: User) -> Any:
        if Result.objects.exists():
            return delete(user)
        storage.put_result(b"a picture", user)
        raise IntegrityError("FOREIGN KEY constraint failed")  # as PostgreSQL answers then

    monkeypatch.setattr(User, "delete", delete_after_somebody_stored)
    delete_account(carol.user)

    assert not User.objects.exists() | Result.objects.exists()
    assert not storage.names(Result)


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_a_result_that_is_stored_afterwards_is_refused(carol: Person) -> None:
    owner = User.objects.get()
    delete_account(carol.user)

    with pytest.raises(storage.NotThere):
        storage.put_result(b"a picture", owner)
    assert not storage.names(Result)


def test_a_call_that_ends_afterwards_is_no_failure_of_ours(carol: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    _, secret = ApiKey.objects.issue(carol.user, "laptop")
    clean = service.clean

    def clean_and_delete(*arguments: Any, **options: Any) -> Any:
        cleaned = clean(*arguments, **options)
        delete_account(User.objects.get())
        return cleaned

    monkeypatch.setattr(service, "clean", clean_and_delete)
    response = send(Client(headers={"X-API-Key": secret}))

    assert response.status_code < 500
    assert "X-Quota-Remaining" not in response
    assert not User.objects.exists()


def test_the_admins_log_forgets_the_name(carol: Person, admin_user: User) -> None:
    told = f"Plan from Free to Pro for {carol.user.email}."
    LogEntry.objects.log_actions(admin_user.pk, [carol.user], CHANGE, told, single_object=True)
    delete_account(carol.user)

    entry = LogEntry.objects.get()
    assert (entry.object_repr, entry.change_message) == (
        "a deleted account",
        "Plan from Free to Pro for a deleted account.",
    )


def test_the_admins_log_forgets_a_name_of_before(carol: Person, admin_user: User) -> None:
    """And nobody else's, of which the new one is a part."""
    before = carol.user.email
    LogEntry.objects.log_actions(admin_user.pk, [carol.user], CHANGE, f"{before} has Pro.", single_object=True)
    carol.user.email = before[1:]
    carol.user.save()
    LogEntry.objects.log_actions(admin_user.pk, [admin_user], CHANGE, f"As {before}.", single_object=True)
    delete_account(carol.user)

    about, other = LogEntry.objects.order_by("pk")
    assert (about.object_repr, about.change_message) == ("a deleted account", "a deleted account has Pro.")
    assert other.change_message == f"As {before}."


def test_what_staff_did_stays_without_their_name(carol: Person, admin_user: User) -> None:
    User.objects.filter(pk=carol.user.pk).update(is_staff=True)
    LogEntry.objects.log_actions(carol.user.pk, [admin_user], CHANGE, "Gave units.", single_object=True)
    carol.confirm_password()
    assert "stays in its log" in carol.browser.get(URL).content.decode()
    assert carol.browser.post(URL, {"email": carol.user.email})["Location"] == "/"

    entry = LogEntry.objects.select_related("user").get()
    assert (entry.get_change_message(), entry.user.email) == ("Gave units.", DELETED_STAFF)
    assert not entry.user.is_active
    assert not entry.user.has_usable_password()
    assert not User.objects.filter(pk=carol.user.pk).exists()


def test_the_address_is_typed_wrong(carol: Person) -> None:
    carol.confirm_password()
    page = carol.browser.post(URL, {"email": "somebody@example.org"})

    assert b"not the address" in page.content
    assert User.objects.exists()


def test_the_password_is_asked_for(carol: Person) -> None:
    stolen = Client(headers=PAGE)
    stolen.force_login(carol.user, backend="allauth.account.auth_backends.AuthenticationBackend")

    assert stolen.post(URL, {"email": carol.user.email})["Location"].startswith("/account/reauthenticate/")
    assert User.objects.exists()
    stolen.post("/account/reauthenticate/", {"password": PASSWORD, "next": URL})
    assert not User.objects.exists()  # what was asked before the password is done after it


def test_signed_out(public: Client) -> None:
    assert public.post(URL)["Location"].startswith("/login")


def test_from_another_site(carol: Person) -> None:
    forged = Client(enforce_csrf_checks=True)
    forged.cookies = carol.browser.cookies

    assert forged.post(URL, {"email": carol.user.email}).status_code == 403
