"""Secrets that must be read again are encrypted in the database: a stolen copy of it alone gives none away."""

from __future__ import annotations

import base64
import hashlib

from cryptography.fernet import Fernet, MultiFernet
from django.conf import settings


def cipher(purpose: str) -> MultiFernet:
    """Encrypts with SECRET_KEY, decrypts what an older one (SECRET_KEY_FALLBACKS) has encrypted too.

    Each purpose has keys of its own. decrypt() raises InvalidToken where none of them fits.
    """
    secrets = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    digests = [hashlib.sha256(purpose.encode() + secret.encode()).digest() for secret in secrets]
    return MultiFernet([Fernet(base64.urlsafe_b64encode(digest)) for digest in digests])
