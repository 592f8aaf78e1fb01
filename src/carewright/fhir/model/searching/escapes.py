r"""Separators in values, and the backslash that takes their meaning away (R4, Escaping Search Parameters): `\,` `\|` `\$` and `\\`."""

import re

_PIECE = re.compile(r"\\.|[^\\]|\\$", re.DOTALL)
_ESCAPED = re.compile(r"\\([,|$\\])")


def split(text: str, separator: str) -> list[str]:
    """The pieces of `text` between separators without a backslash before them, each still escaped."""
    pieces = [""]
    for match in _PIECE.finditer(text):
        if match[0] == separator:
            pieces.append("")
        else:
            pieces[-1] += match[0]
    return pieces


def plain(text: str) -> str:
    """A piece without its backslashes; one before anything else stays."""
    return _ESCAPED.sub(r"\1", text)


def escaped(text: str) -> str:
    """`text` as one value, whatever is in it."""
    return re.sub(r"([,|$\\])", r"\\\1", text)
