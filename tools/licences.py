"""Every installed package has a licence that a hospital can accept, or the check fails and names it.

Example: .venv/bin/python tools/licences.py

Runs on the standard library alone. What a package says of itself is read in this order: its SPDX expression (PEP 639), its classifiers,
its old free-text field. A package that says nothing we know is unknown, and unknown fails.
"""

import re
import sys
from collections.abc import Iterable, Iterator
from importlib.metadata import Distribution, distributions
from typing import NamedTuple

ACCEPTED = frozenset({
    "0BSD", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "CC0-1.0", "ISC", "MIT", "MIT-0", "MPL-2.0", "PSF-2.0", "Zlib",
})  # fmt: skip
"""Permissive ones, and MPL-2.0, whose copyleft ends at the file: we change none. ADR 3 names the same."""
EXCEPTIONS = frozenset({"LLVM-exception"})
"""They permit more than the licence that they are an exception to."""
BY_CLASSIFIER = {
    "Apache Software License": "Apache-2.0",
    "BSD License": "BSD-3-Clause",
    "ISC License (ISCL)": "ISC",
    "MIT License": "MIT",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "Python Software Foundation License": "PSF-2.0",
}
BY_TEXT = {
    "3-Clause BSD License": "BSD-3-Clause",
    "Apache 2.0": "Apache-2.0",
    "MIT License": "MIT",
}
"""How packages write it that have neither an expression nor a classifier."""
WORD = re.compile(r"\(|\)|[A-Za-z0-9.+-]+")


class Licence(NamedTuple):
    """What `package` says of its licence, as an SPDX expression; empty where it says nothing we know."""

    package: str
    expression: str

    @property
    def accepted(self) -> bool:
        return is_accepted(self.expression)


def main() -> int:
    found = sorted(licence_of(package) for package in distributions())
    refused = [licence for licence in found if not licence.accepted]
    for licence in refused:
        sys.stdout.write(f"{licence.package}: {licence.expression or 'an unknown licence'}\n")
    if refused:
        sys.stdout.write("Read it, then replace the package, or argue the licence in docs/adr/0003-dependencies.md and accept it here.\n")
        return 1
    sys.stdout.write(f"{len(found)} packages, every licence accepted\n")
    return 0


def licence_of(package: Distribution) -> Licence:
    """What a package's own metadata says."""
    expression, classifiers, text = (package.metadata.get_all(field) or [] for field in ("License-Expression", "Classifier", "License"))
    return Licence(package.name, "".join(expression) or " AND ".join(_classified(classifiers)) or _written("\n".join(text)))


def is_accepted(expression: str) -> bool:
    """Whether an SPDX expression can be met with accepted licences only. An expression that cannot be read is refused."""
    words = WORD.findall(expression)
    try:
        accepted = _any(words)
    except (IndexError, ValueError):
        return False
    return accepted and not words


def _any(words: list[str]) -> bool:
    """`a OR b`: one that is accepted is enough. Takes what it reads off the front of `words`."""
    accepted = _all(words)
    while words and words[0] == "OR":
        words.pop(0)
        accepted = _all(words) or accepted
    return accepted


def _all(words: list[str]) -> bool:
    """`a AND b`: both apply."""
    accepted = _one(words)
    while words and words[0] == "AND":
        words.pop(0)
        accepted = _one(words) and accepted
    return accepted


def _one(words: list[str]) -> bool:
    word = words.pop(0)
    if word != "(":
        exception = words[1] if words[:1] == ["WITH"] else None
        del words[: 2 if exception else 0]
        return word in ACCEPTED and (exception is None or exception in EXCEPTIONS)
    accepted = _any(words)
    if words.pop(0) != ")":
        raise ValueError("a bracket is not closed")
    return accepted


def _classified(classifiers: Iterable[str]) -> Iterator[str]:
    """The licences that classifiers name; each applies. One that we do not know is kept as it is, and so refused."""
    for classifier in classifiers:
        kind, *_, name = classifier.split(" :: ")
        if kind == "License" and name != "OSI Approved":
            yield BY_CLASSIFIER.get(name, re.sub(r"[^A-Za-z0-9.+-]+", "-", name))


def _written(text: str) -> str:
    first = next(iter(text.strip().splitlines()), "")
    return BY_TEXT.get(first, first if first in ACCEPTED else "")


if __name__ == "__main__":
    sys.exit(main())
