"""The format of API keys: sk_live_ or sk_test_ + 36 random base62 characters + 6 characters of checksum.

The checksum (CRC-32 in base62, as GitHub's tokens have it) lets secret scanners and typing errors be told without a
look-up. 36 random characters are 214 bits, so a plain fast hash is right for storage: there is nothing to guess, and a
slow one would only cost time on every request.
"""

import hashlib
import secrets
import string
import zlib

BASE62 = string.digits + string.ascii_uppercase + string.ascii_lowercase
LIVE, TEST = SCHEMES = ("sk_live_", "sk_test_")  # of one length; a test key charges nothing
RANDOM_LENGTH = 36
CHECKSUM_LENGTH = 6
PREFIX_LENGTH = len(LIVE) + 8  # what is stored in the clear, shown in lists and looked up


def _checksum(body: str) -> str:
    number = zlib.crc32(body.encode())
    digits = ""
    for _ in range(CHECKSUM_LENGTH):
        number, digit = divmod(number, 62)
        digits = BASE62[digit] + digits
    return digits


def generate(scheme: str = LIVE) -> str:
    """A new key. It is the only copy: only its prefix and digest are stored."""
    body = "".join(secrets.choice(BASE62) for _ in range(RANDOM_LENGTH))
    return scheme + body + _checksum(body)


def is_well_formed(raw: str) -> bool:
    """Whether `raw` has the shape and checksum of a key (says nothing of whether it exists)."""
    body, checksum = raw[len(LIVE) : -CHECKSUM_LENGTH], raw[-CHECKSUM_LENGTH:]
    return raw.startswith(SCHEMES) and len(body) == RANDOM_LENGTH and raw.isascii() and checksum == _checksum(body)


def prefix(raw: str) -> str:
    return raw[:PREFIX_LENGTH]


def digest(raw: str) -> str:
    return hashlib.sha256(raw.encode()).hexdigest()


def matches(raw: str, stored_digest: str) -> bool:
    """Constant-time comparison of a key with a stored digest."""
    return secrets.compare_digest(digest(raw), stored_digest)
