"""Codes that one person reads to another, who types them: each serves once."""

import hashlib
from base64 import b32encode

CODE_BYTES = 10
"""80 bits: what is stored of a code cannot be guessed from."""


def code_of(secret: bytes) -> str:
    """16 letters and digits in groups of four, without 0, 1, 8 and 9 (RFC 4648, base 32)."""
    letters = b32encode(secret).decode()
    return "-".join(letters[at : at + 4] for at in range(0, len(letters), 4))


def code_hash(purpose: str, code: str) -> bytes:
    """What we keep of a code, however it was typed. A code for one purpose is none for another."""
    plain = "".join(letter for letter in code.upper() if letter.isalnum())
    return hashlib.sha256(f"carewright.{purpose}\n{plain}".encode()).digest()
