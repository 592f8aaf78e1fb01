"""What the staff's pages run in: the context, and whom they ask."""

from dataclasses import dataclass

from carewright.console.settings import ConsoleSettings
from carewright.contracts.access import Access
from carewright.contracts.audit import AuditTrail
from carewright.contracts.coverage import Coverages
from carewright.contracts.directory import Directory
from carewright.contracts.ehr import Ehrs
from carewright.contracts.flow import Delays, Flow, Kiosks, Queues, Rooms
from carewright.contracts.hl7 import Desk
from carewright.contracts.oversight import Oversight
from carewright.contracts.patients import Patients
from carewright.contracts.records import Records
from carewright.contracts.scheduling import Offers, Scheduling
from carewright.kernel.authz import Bearers
from carewright.kernel.context import Context
from carewright.kernel.feed import Feed


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsoleContext(Context):
    """The context with what the console may ask, and of whom."""

    settings: ConsoleSettings
    bearers: Bearers
    access: Access
    audit: AuditTrail
    records: Records
    oversight: Oversight
    directory: Directory
    desk: Desk
    ehrs: Ehrs
    coverages: Coverages
    patients: Patients
    scheduling: Scheduling
    offers: Offers
    flow: Flow
    queues: Queues
    rooms: Rooms
    delays: Delays
    kiosks: Kiosks
    feed: Feed
