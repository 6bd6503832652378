"""What publishers, cameras and agencies write: names, addresses, handles, dates, numbers. All of it is made up."""

from numpy.random import Generator

from training.data.faces import WORDS

STARTS = [
    "b",
    "br",
    "c",
    "ch",
    "cl",
    "d",
    "dr",
    "f",
    "fl",
    "g",
    "gr",
    "h",
    "j",
    "k",
    "kl",
    "l",
    "m",
    "n",
    "p",
    "pr",
    "qu",
    "r",
    "s",
    "sh",
    "sl",
    "sp",
    "st",
    "t",
    "tr",
    "v",
    "w",
    "z",
]
VOWELS = ["a", "e", "i", "o", "u", "a", "e", "i", "o", "ai", "ea", "oo"]
ENDS = ["n", "r", "l", "s", "t", "m", "x", "nd", "rt", "st", "ck"] + [""] * 6
TRADES = (
    "photo", "photos", "images", "stock", "studio", "media", "press", "art", "pics", "design", "gallery", "news", "tv",
    "travel", "home", "cards", "market", "films", "foto", "creative", "photography", "archive", "shop",
)  # fmt: skip
DOMAINS = ".com", ".net", ".org", ".ru", ".de", ".co.uk", ".id", ".ir", ".in", ".info", ".su", ".fr"
CLAIMS = (
    "SAMPLE", "Copyright", "COPYRIGHT", "Copyrighted Image", "PREVIEW", "PROOF", "DRAFT", "COPY", "VOID", "SPECIMEN",
    "WATERMARK", "CONFIDENTIAL", "DO NOT COPY", "DEMO", "Not for sale", "all rights reserved", "APPROVED", "Original",
)  # fmt: skip


def name(rng: Generator) -> str:
    """A word that nobody has as a trade mark, in small letters."""
    made = "".join(_any(rng, STARTS) + _any(rng, VOWELS) for _ in range(rng.integers(1, 4)))
    return made + _any(rng, ENDS)


def brand(rng: Generator) -> str:
    roll = rng.random()
    if roll < 0.2:
        return _any(rng, CLAIMS)
    text = name(rng) if roll < 0.55 else name(rng) + _any(rng, ("", " ")) + _any(rng, TRADES)
    text += str(rng.integers(1, 1000)) if rng.random() < 0.08 else ""
    return (text, text, text.title(), text.upper())[rng.integers(4)]


def small_line(rng: Generator) -> str:
    """What stands below or beside a name."""
    roll = rng.random()
    if roll < 0.3:
        return address(rng)
    if roll < 0.45:
        return "@" + name(rng) + _any(rng, ("", "_", ".")) + _any(rng, ("", *TRADES))
    if roll < 0.6:
        return f"{_any(rng, ('by', 'Photo by', 'photo:', 'Image ID:', '#', 'ID'))} {number(rng)}"
    if roll < 0.75:
        return " ".join(rng.choice(WORDS, 2)).upper()
    return owner(rng) if roll < 0.9 else _any(rng, CLAIMS)


def address(rng: Generator) -> str:
    text = name(rng) + _any(rng, ("", "", "-", *TRADES)) + name(rng)[: rng.integers(0, 4)]
    return _any(rng, ("www.", "www.", "", "https://")) + text.strip("-") + _any(rng, DOMAINS)


def owner(rng: Generator) -> str:
    first, last = name(rng).title(), name(rng).title()
    text = (f"{first} {last}", f"{first[0]}. {last}", f"{last} Photography", last)[rng.integers(4)]
    year = f" {rng.integers(1995, 2026)}" if rng.random() < 0.4 else ""
    return _any(rng, ("© ", "©", "(c) ", "", "Photo by ", "by ", "Copyright ")) + text + year


def number(rng: Generator) -> str:
    return str(rng.integers(10_000, 10 ** int(rng.integers(5, 10))))


def date(rng: Generator) -> str:
    """As clocks of cameras and telephones say it, in digits."""
    year, month, day = rng.integers(1990, 2027), rng.integers(1, 13), rng.integers(1, 29)
    between = _any(rng, ("/", "-", ".", " ", ":"))
    orders = (
        f"{year}{between}{month:02}{between}{day:02}",
        f"{day:02}{between}{month:02}{between}{year}",
        f"{month}{between}{day}{between}{year}",
        f"'{year % 100:02} {month:2} {day:2}",
    )
    return orders[rng.integers(4)]


def time(rng: Generator) -> str:
    hour, minute, second = rng.integers(24), rng.integers(60), rng.integers(60)
    if rng.random() < 0.5:
        return f"{hour:02}:{minute:02}:{second:02}"
    return f"{hour:02}:{minute:02}" if rng.random() < 0.6 else f"{hour % 12 + 1}:{minute:02} {_any(rng, ('AM', 'PM'))}"


def moment(rng: Generator) -> str:
    """A date, a time, or both."""
    roll = rng.random()
    if roll < 0.35:
        return date(rng)
    return f"{date(rng)} {time(rng)}" if roll < 0.9 else time(rng)


def camera(rng: Generator) -> str:
    """What a surveillance or wildlife camera says at one end of its bar."""
    return (
        f"{moment(rng)}  M {rng.integers(1, 4)}/{rng.integers(3, 6)}",
        f"CAM {rng.integers(1, 40):02}",
        f"{name(rng).upper()}{rng.integers(10, 900)}",
        f"{rng.integers(-20, 45)} C",
        f"{rng.integers(10, 110)}F",
        f"{rng.integers(1, 10000):04}",
    )[rng.integers(6)]


def sentence(rng: Generator, words: int) -> str:
    """Running text."""
    return " ".join(name(rng) for _ in range(words)).capitalize() + _any(rng, (".", ".", "?", "!", ","))


def _any(rng: Generator, of: list[str] | tuple[str, ...]) -> str:
    return of[rng.integers(len(of))]
