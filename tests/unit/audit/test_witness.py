"""Witnesses of the settings: one that has an address is asked through the guard of outgoing requests."""

import pytest

from carewright.audit.settings import AuditSettings
from carewright.audit.witness.chosen import witnesses_of
from carewright.audit.witness.file import FileWitness
from carewright.audit.witness.port import NotTaken
from carewright.kernel.clock import SystemClock
from carewright.kernel.http.outgoing import AddressRefused, Outgoing
from carewright.kernel.restraints import PeerQuarantined, Restraint, Restraints
from carewright.kernel.settings import StartFailed
from tests.samples import known_id


@pytest.mark.parametrize(("url", "refusal"), [("https://witness.example", PeerQuarantined), ("http://169.254.169.254", AddressRefused)])
async def test_a_witness_is_asked_through_the_guard(url: str, refusal: type[Exception]) -> None:
    restraints = Restraints()
    held = Restraint(organization_id=known_id(1), id=known_id(2), kind="peer", name="witness.example", since=SystemClock().now())
    restraints.take([held])
    (witness,) = witnesses_of(AuditSettings(witness_url=url), SystemClock(), Outgoing(restraints=restraints))
    with pytest.raises(NotTaken) as not_taken:
        await witness.take("carewright/audit\n0\nAAAA\n", 0, [])
    assert isinstance(not_taken.value.__cause__, refusal)


def test_a_witness_without_an_origin_stops_the_start() -> None:
    with pytest.raises(StartFailed, match="is no origin"):
        witnesses_of(AuditSettings(witness_url="ftp://witness.example"), SystemClock(), Outgoing())


def test_nobody_is_asked_unless_set() -> None:
    assert witnesses_of(AuditSettings(), SystemClock(), Outgoing()) == []
    (witness,) = witnesses_of(AuditSettings(witness_file="checkpoints.txt"), SystemClock(), Outgoing())
    assert isinstance(witness, FileWitness)
