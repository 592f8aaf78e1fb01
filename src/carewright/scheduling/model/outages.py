"""What is out of service, as facts. Pure."""

from uuid import UUID

from carewright.contracts.outages import Outage, OutageFact


def fact_of(kind: type[OutageFact], outage: Outage, organization_id: UUID) -> OutageFact:
    """The event that reports the outage as it is now."""
    return kind(
        organization_id=organization_id, outage_id=outage.id, schedule_id=outage.schedule_id, kind=outage.kind, site_ids=outage.site_ids,
        start=outage.start, end=outage.end, reason=outage.reason, hit_appointment_ids=outage.hit_appointment_ids,
    )  # fmt: skip
