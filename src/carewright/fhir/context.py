"""The context with what the rim may ask, and of whom."""

from dataclasses import dataclass

from carewright.contracts.access import Access
from carewright.contracts.audit import AuditTrail
from carewright.contracts.coverage import Coverages
from carewright.contracts.directory import Directory
from carewright.contracts.flow import Flow
from carewright.contracts.notifications import Notifications
from carewright.contracts.orders import Orders
from carewright.contracts.patients import Patients
from carewright.contracts.scheduling import Scheduling
from carewright.contracts.subscriptions import Subscriptions
from carewright.contracts.vitals import Vitals
from carewright.fhir.settings import FhirSettings
from carewright.kernel.authz import Bearers
from carewright.kernel.context import Context
from carewright.kernel.sealed import Sealer
from carewright.kernel.together import Together


@dataclass(frozen=True, slots=True, kw_only=True)
class FhirContext(Context):
    """`bearers` tells whose token a request carries, `sealer` closes what goes into links, `together` makes several use cases one.

    The rest are the modules that keep the truth.
    """

    settings: FhirSettings
    bearers: Bearers
    sealer: Sealer
    together: Together
    directory: Directory
    patients: Patients
    scheduling: Scheduling
    subscriptions: Subscriptions
    flow: Flow
    orders: Orders
    vitals: Vitals
    coverages: Coverages
    access: Access
    notifications: Notifications
    audit: AuditTrail
