"""Two-factor sign-in: an authenticator app (RFC 6238), and recovery codes for when it is lost."""

from typing import Any

from allauth.mfa.models import Authenticator

from tests.accounts.conftest import Clock, Person

INDEX = "/account/two-factor/"
ACTIVATE = "/account/two-factor/totp/activate/"
AUTHENTICATE = "/account/two-factor/authenticate/"
RECOVERY_CODES = "/account/two-factor/recovery-codes/"


def turn_on(person: Person, clock: Clock) -> str:
    """The secret that the authenticator app got."""
    person.confirm_password()
    secret = str(person.browser.get(ACTIVATE).context["form"].secret)
    assert person.browser.post(ACTIVATE, {"code": clock.code(secret)})["Location"] == RECOVERY_CODES
    person.browser.get(RECOVERY_CODES)
    return secret


def test_it_works(carol: Person, clock: Clock) -> None:
    secret = turn_on(carol, clock)
    carol.browser.post("/logout")
    clock.now += 30

    assert carol.sign_in() == AUTHENTICATE
    assert carol.browser.get("/dashboard").status_code == 302  # a password alone is not enough
    assert carol.browser.post(AUTHENTICATE, {"code": clock.code(secret)})["Location"] == "/dashboard"
    assert carol.browser.get("/dashboard").status_code == 200


def test_a_wrong_code(carol: Person, clock: Clock) -> None:
    turn_on(carol, clock)
    carol.browser.post("/logout")
    carol.sign_in()

    assert b"Incorrect code" in carol.browser.post(AUTHENTICATE, {"code": "000000"}).content


def test_a_code_works_once(carol: Person, clock: Clock) -> None:
    secret = turn_on(carol, clock)
    clock.now += 30
    for outcome in (302, 200):
        carol.browser.post("/logout")
        carol.sign_in()
        assert carol.browser.post(AUTHENTICATE, {"code": clock.code(secret)}).status_code == outcome


def test_the_code_that_turned_it_on_does_not_sign_in(carol: Person, clock: Clock) -> None:
    secret = turn_on(carol, clock)
    carol.browser.post("/logout")
    carol.sign_in()

    used = clock.code(secret)
    for written in (used, f"{used[:3]} {used[3:]}"):
        assert carol.browser.post(AUTHENTICATE, {"code": written}).status_code == 200
    clock.now += 30
    assert carol.browser.post(AUTHENTICATE, {"code": clock.code(secret)})["Location"] == "/dashboard"


def test_a_recovery_code_works_once(carol: Person, clock: Clock) -> None:
    turn_on(carol, clock)
    codes = carol.browser.get(f"{RECOVERY_CODES}download/").content.decode().split()
    assert len(codes) == 10

    for outcome in (302, 200):
        carol.browser.post("/logout")
        carol.sign_in()
        assert carol.browser.post(AUTHENTICATE, {"code": codes[0]}).status_code == outcome


def test_the_database_alone_gives_no_codes(carol: Person, clock: Clock) -> None:
    secret = turn_on(carol, clock)

    clock.now += 30
    stored = Authenticator.objects.get(type="totp")
    assert secret not in str(stored.data)
    assert stored.wrap().validate_code(clock.code(secret))


def test_turning_it_off(carol: Person, clock: Clock) -> None:
    turn_on(carol, clock)
    carol.browser.post("/account/two-factor/totp/deactivate/")

    assert not Authenticator.objects.exists()
    carol.browser.post("/logout")
    assert carol.sign_in() == "/dashboard"


def test_staff_need_it_for_the_admin_too(carol: Person, clock: Clock) -> None:
    turn_on(carol, clock)
    type(carol.user).objects.update(is_staff=True, is_superuser=True)
    carol.browser.post("/logout")
    carol.sign_in()

    assert carol.browser.get("/admin/").status_code == 302


def test_a_new_secret_key_reads_what_the_old_one_wrote(carol: Person, clock: Clock, settings: Any) -> None:
    secret = turn_on(carol, clock)
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "another" * 10, [settings.SECRET_KEY]
    clock.now += 30

    assert Authenticator.objects.get(type="totp").wrap().validate_code(clock.code(secret))
