"""The reference page of roles, written from the table that is the truth:  .venv/bin/python -m tests.tidy.roles --write"""

import sys

from carewright.contracts.permissions import BREAK_GLASS, COLUMNS, ROLES
from tests.tidy.source import ROOT

PAGE = ROOT / "docs" / "reference" / "roles.md"
PREAMBLE = """# Roles

What each role may do: minimum necessary. Every use case asks for one of these permissions, and so does the route in front of it. The table
is written by `python -m tests.tidy.roles --write` from `carewright/contracts/permissions.py`, and held against every route by
`tests/unit/roles/test_matrix.py`.

`scheduling.appointment.any_patient` lets staff act for every patient. Without it an actor acts for one: a patient for themselves, a proxy
for the patient who consented. Fields are guarded too: without `patients.read_contacts` and `patients.read_identifiers` a record
has neither, and says so in `withheld`. What a patient writes to the practice (`note`) is shown where an appointment is read, to those with
`scheduling.appointment.read_note` alone; each note that is shown is recorded as read.

"""
WIDENED = """
While the glass is broken (see [Access](../concepts/access.md)) a role also has:

"""


def page() -> str:
    """The whole page."""
    permissions = sorted(frozenset().union(*ROLES.values()))
    head = ["| permission |" + "".join(f" {role} |" for role in COLUMNS.values()), "|---|" + ":-:|" * len(COLUMNS)]
    rows = [f"| `{each}` |" + "".join(" ● |" if each in ROLES[role] else " |" for role in COLUMNS.values()) for each in permissions]
    return PREAMBLE + "\n".join([*head, *rows]) + "\n" + WIDENED + "".join(f"- `{each}`\n" for each in sorted(BREAK_GLASS))


if __name__ == "__main__":
    if sys.argv[1:] != ["--write"]:
        raise SystemExit(__doc__)
    PAGE.write_text(page(), "utf-8")
