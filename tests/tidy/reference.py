"""The reference page of refusals, written from the classes that are the truth:  .venv/bin/python -m tests.tidy.reference --write"""

import sys

from carewright.kernel.errors import Refusal
from tests.tidy.source import ROOT
from tests.tidy.test_codes import published

ERRORS = ROOT / "docs" / "reference" / "errors.md"
PREAMBLE = """# Refusals

Every way in which Carewright says no. Over HTTP a refusal is a problem document ([RFC 9457](https://www.rfc-editor.org/rfc/rfc9457),
`application/problem+json`) with the members `type`, `title`, `status`, `detail` and `code`; further members are facts of the case: ids and
numbers, never a person's data. `code` is never renamed. The FHIR column is the
[issue type](http://hl7.org/fhir/R4/valueset-issue-type.html) under which the refusal appears in an OperationOutcome.

`503` and `429` carry `Retry-After`; repeating with the same `Idempotency-Key` is always safe. `401` carries `WWW-Authenticate`.

This page is written by `python -m tests.tidy.reference --write`, from the classes in `kernel/errors.py` and `contracts/`.
"""


def page() -> str:
    """The whole page."""
    by_module: dict[str, list[type[Refusal]]] = {}
    for kind in sorted(published(Refusal), key=lambda kind: kind.code):
        by_module.setdefault(kind.code.partition(".")[0], []).append(kind)
    return PREAMBLE + "".join(_section(module, kinds) for module, kinds in by_module.items())


def _section(module: str, kinds: list[type[Refusal]]) -> str:
    rows = (f"| `{kind.code}` | {kind.status} | {kind.issue} | {kind.title} |" for kind in kinds)
    return "\n".join(["", f"## {module}", "", "| code | status | FHIR issue | says |", "|---|---|---|---|", *rows, ""])


if __name__ == "__main__":
    if sys.argv[1:] != ["--write"]:
        raise SystemExit(__doc__)
    ERRORS.write_text(page(), "utf-8")
