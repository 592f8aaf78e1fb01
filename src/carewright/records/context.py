"""What the use cases of records run in: the common context, and whom an export asks."""

from dataclasses import dataclass

from carewright.contracts.access import Access
from carewright.contracts.audit import AuditTrail
from carewright.contracts.coverage import Coverages
from carewright.contracts.flow import Flow, Queues, Rooms
from carewright.contracts.hl7 import Desk
from carewright.contracts.notifications import Notifications
from carewright.contracts.orders import Orders
from carewright.contracts.patients import Patients
from carewright.contracts.scheduling import Offers, Scheduling
from carewright.contracts.vitals import Vitals
from carewright.kernel.authz import Actor
from carewright.kernel.context import Context


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordsContext(Context):
    """`gatherer` is the system while it puts an export together: it reads what the patient's own role would not be shown."""

    gatherer: Actor
    patients: Patients
    scheduling: Scheduling
    offers: Offers
    flow: Flow
    queues: Queues
    rooms: Rooms
    orders: Orders
    vitals: Vitals
    notifications: Notifications
    audit: AuditTrail
    coverages: Coverages
    desk: Desk
    access: Access
