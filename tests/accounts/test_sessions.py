"""Where somebody is signed in, and signing out elsewhere."""

from django.test import Client

from tests.accounts.conftest import PAGE, PASSWORD, Person

URL = "/account/sessions/"


def test_it_works(carol: Person) -> None:
    elsewhere = Client(headers={**PAGE, "User-Agent": "Another browser"})
    elsewhere.post("/login", {"login": carol.user.email, "password": PASSWORD})

    assert b"Another browser" in carol.browser.get(URL).content
    carol.browser.post(URL)
    assert elsewhere.get("/dashboard").status_code == 302
    assert carol.browser.get("/dashboard").status_code == 200


def test_other_people_are_not_in_the_list(carol: Person) -> None:
    other = Person("other@example.org")
    other.browser = Client(headers={**PAGE, "User-Agent": "Somebody else"})
    other.sign_in()

    assert b"Somebody else" not in carol.browser.get(URL).content


def test_signed_out(public: Client) -> None:
    assert public.get(URL)["Location"] == f"/login?next={URL}"
