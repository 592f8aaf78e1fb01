"""Every deed has left an entry in some journal of this tier, under its own name; and each entry was as BALP has it (`tests/journal.py`)."""

from pathlib import Path

import pytest

from carewright.contracts.deeds import EVENTS, SILENT
from tests.journal import Journals

ELSEWHERE = {
    "access.passkey.redeem": "the session that starts stands for it, as for a code",
    "audit.disclosure.find": "tests/roles/test_export.py",
    "audit.event.find": "tests/store/test_audit_log.py, in databases whose journal it forges, and tests/http/test_audit.py",
    "audit.event.prove": "the same",
    "audit.event.read": "the same",
    "notifications.communication.list": "tests/roles/test_export.py",
    "records.record.export": "tests/roles/test_export.py",
}
"""Deeds that this tier may leave out, and where they are done."""
ENTRIES_MIN = 1_000


@pytest.fixture(autouse=True)
def _whole_tier(request: pytest.FixtureRequest) -> None:
    """Only the whole tier meets every deed. These tests run last (`conftest.py`)."""
    if not {item.path for item in request.session.items} >= set(Path(__file__).parent.glob("test_*.py")):
        pytest.skip("only a run of the whole tier meets every deed")


def test_every_deed_was_met_in_a_journal(journals: Journals) -> None:
    assert journals.count > ENTRIES_MIN
    assert set(EVENTS.values()) - SILENT - journals.done - set(ELSEWHERE) == set()


def test_what_shows_nothing_of_a_person_left_no_entry(journals: Journals) -> None:
    assert journals.done & SILENT == set()
