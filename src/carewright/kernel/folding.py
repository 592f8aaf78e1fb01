"""Text as people search for it: without case, accents or odd spaces, the same on every database whatever its locale."""

import unicodedata

ALONE = str.maketrans({"æ": "ae", "œ": "oe", "ø": "o", "đ": "d", "ð": "d", "ł": "l", "ħ": "h", "ı": "i", "þ": "th"})
"""Letters that Unicode does not take apart, as a person without their keyboard types them."""


def folded(text: str) -> str:
    """`text` in small letters without accents, words one space apart: "  GARCÍA  Øre" becomes "garcia ore"."""
    if not text.isascii():
        apart = unicodedata.normalize("NFKD", text.casefold())
        text = "".join(letter for letter in apart if not unicodedata.combining(letter)).translate(ALONE)
    return " ".join(text.lower().split())
