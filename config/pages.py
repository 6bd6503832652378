"""The public pages: what the service does, under which terms, and whether it works now."""

from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.templatetags.static import static

from accounts.lifetimes import in_words
from config import manual
from inpainting import containers, editor, engine, health


def site(request: HttpRequest) -> dict[str, Any]:
    """Context processor: what every template may know of the site (django-allauth has another `site`)."""
    service = {
        **{"name": settings.SITE_NAME, "url": settings.SITE_URL},
        **{"contact": settings.CONTACT_EMAIL, "company": settings.COMPANY},
    }
    return {"service": service}


def home(request: HttpRequest) -> HttpResponse:
    return render(request, "pages/home.html", {"limits": _limits(), "editor": editor.context(request)})


def favicon(request: HttpRequest) -> HttpResponse:
    """Where browsers look on pages that name no icon: the admin's."""
    return redirect(static("icon.svg"))


def terms(request: HttpRequest) -> HttpResponse:
    return render(request, "pages/terms.html")


def privacy(request: HttpRequest) -> HttpResponse:
    """What is stored and for how long, from the settings that decide it."""
    return render(
        request,
        "pages/privacy.html",
        {
            "upload_ttl": in_words(settings.UPLOAD_TTL),
            "result_ttl": in_words(settings.RESULT_TTL),
            "session_ttl": in_words(settings.SESSION_COOKIE_AGE),
        },
    )


def support(request: HttpRequest) -> HttpResponse:
    return render(request, "pages/support.html")


def manual_page(request: HttpRequest, slug: str = "quickstart") -> HttpResponse:
    page = _manual_page(slug)
    context = {"menu": manual.MENU, "slug": page.slug, "page": manual.rendered(page.slug)}
    return render(request, "manual/page.html", context)


def manual_markdown(request: HttpRequest, slug: str) -> HttpResponse:
    """The page as its file is, for programs."""
    return HttpResponse(_manual_page(slug).markdown, content_type="text/markdown; charset=utf-8")


def manual_search(request: HttpRequest) -> HttpResponse:
    words = request.GET.get("q", "")[:100].strip()
    context = {"menu": manual.MENU, "words": words, "hits": manual.search(words)}
    return render(request, "manual/search.html", context)


def llms(request: HttpRequest) -> HttpResponse:
    """The manual's pages as https://llmstxt.org has it, for language models."""
    lines = [f"# {settings.SITE_NAME}", "", "> Removes watermarks and unwanted objects from pictures, over HTTP."]
    for section, pages in manual.MENU.items():
        lines += ["", f"## {section}", ""]
        lines += [f"- [{page.name}]({settings.SITE_URL}/docs/{page.slug}.md)" for page in pages]
    return HttpResponse("\n".join([*lines, ""]), content_type="text/plain; charset=utf-8")


def _manual_page(slug: str) -> manual.Page:
    try:
        return manual.PAGES[slug]
    except KeyError as error:
        raise Http404 from error


def acceptable_use(request: HttpRequest) -> HttpResponse:
    return render(request, "pages/acceptable_use.html")


def status(request: HttpRequest) -> HttpResponse:
    """What /api/v1/health says, for people: 503 when something does not work."""
    parts = health.parts()
    return render(
        request,
        "pages/status.html",
        {"parts": parts, "healthy": all(part.works for part in parts), "engine": engine.status()},
        status=200 if all(part.works for part in parts) else 503,
    )


def _limits() -> dict[str, Any]:
    return {
        "formats": containers.ACCEPTED,
        "megabytes": settings.MAX_FILE_BYTES >> 20,
        "side": settings.MAX_SIDE,
    }
