"""A User-Agent header in words. A table of the common ones: a library would bring megabytes for one line of a page."""

from django import template

register = template.Library()

# The first that the header holds counts: browsers name those whom they resemble, too.
BROWSERS = {
    **{"Edg": "Edge", "OPR/": "Opera", "Vivaldi/": "Vivaldi", "SamsungBrowser/": "Samsung Internet"},
    **{"Firefox/": "Firefox", "FxiOS/": "Firefox", "CriOS/": "Chrome", "Chrome/": "Chrome", "Safari/": "Safari"},
}
SYSTEMS = {
    **{"Windows": "Windows", "Android": "Android", "iPhone": "iPhone", "iPad": "iPad"},
    **{"Mac OS X": "macOS", "CrOS": "ChromeOS", "Linux": "Linux"},
}
LONGEST = 60  # characters of a header that is not known


@register.filter
def browser(user_agent: str) -> str:
    """Such as "Firefox on Windows"; what is unknown as it is, shortened."""
    name = next((name for token, name in BROWSERS.items() if token in user_agent), "")
    system = next((name for token, name in SYSTEMS.items() if token in user_agent), "")
    if not name:
        return user_agent[:LONGEST] or "Unknown browser"
    return f"{name} on {system}" if system else name
