"""Ids of what is computed carry it whole, and nothing else is taken for one."""

import re
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carewright.contracts.fhir.refusals import UnknownId
from carewright.fhir.model.ids import (
    ProposalId,
    SlotId,
    digest_of,
    is_proposal,
    read_proposal,
    read_slot,
    write_proposal,
    write_slot,
)

FHIR_ID = re.compile(r"[A-Za-z0-9\-.]{1,64}")
MINUTES = st.datetimes(datetime(1970, 1, 1), datetime(2200, 1, 1)).map(lambda at: at.replace(second=0, microsecond=0, tzinfo=UTC))  # noqa: DTZ001  # hypothesis wants its bounds naive


@given(st.uuids(), MINUTES, st.integers(1, 2**16 - 1))
def test_a_slot_comes_back_from_its_id(schedule_id: UUID, start: datetime, minutes: int) -> None:
    slot = SlotId(schedule_id, start, minutes)
    assert FHIR_ID.fullmatch(write_slot(slot))
    assert read_slot(write_slot(slot)) == slot
    assert slot.end - slot.start == timedelta(minutes=minutes)
    assert not is_proposal(write_slot(slot))


@given(st.uuids(), st.uuids(), st.none() | st.uuids(), MINUTES)
def test_a_proposal_comes_back_from_its_id(visit_type_id: UUID, site_id: UUID, practitioner_id: UUID | None, start: datetime) -> None:
    proposal = ProposalId(visit_type_id, digest_of(site_id), practitioner_id, start)
    assert FHIR_ID.fullmatch(write_proposal(proposal))
    assert read_proposal(write_proposal(proposal)) == proposal
    assert is_proposal(write_proposal(proposal))


@given(st.text(max_size=70))
def test_no_text_is_an_id_by_chance(text: str) -> None:
    for read in (read_slot, read_proposal):
        with pytest.raises(UnknownId):
            read(text)


def test_one_kind_is_never_read_as_the_other_and_no_id_is_written_in_two_ways() -> None:
    slot = write_slot(SlotId(uuid4(), datetime(2026, 11, 26, 9, tzinfo=UTC), 30))
    with pytest.raises(UnknownId):
        read_proposal(slot)
    with pytest.raises(UnknownId):
        read_slot(slot + "=")
