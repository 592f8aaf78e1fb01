"""The witnesses that are set."""

from carewright.audit.settings import AuditSettings
from carewright.audit.witness.bucket import BucketWitness, address_of
from carewright.audit.witness.file import FileWitness
from carewright.audit.witness.port import Witness
from carewright.audit.witness.tlog import HttpWitness
from carewright.kernel.clock import Clock
from carewright.kernel.http.outgoing import Outgoing
from carewright.kernel.transport import origin_in


def witnesses_of(settings: AuditSettings, clock: Clock, outgoing: Outgoing) -> list[Witness]:
    """All of them. Those at an address are asked through the guard, and may lie inside. Raises `StartFailed` for what is no address."""
    chosen: list[Witness] = []
    if settings.witness_file:
        chosen.append(FileWitness(settings.witness_file, settings.witness_seconds))
    if settings.witness_url:
        there = outgoing.reaching(origin_in(settings.witness_url))
        chosen.append(HttpWitness(settings.witness_url, there, settings.witness_seconds))
    if settings.witness_s3_bucket:
        chosen.append(BucketWitness(settings, clock, outgoing.reaching(origin_in(address_of(settings)))))
    return chosen
