"""The context, with whom subscriptions ask and the way out."""

from dataclasses import dataclass

from carewright.contracts.access import Access
from carewright.contracts.patients import Patients
from carewright.contracts.scheduling import Scheduling
from carewright.kernel.context import Context
from carewright.kernel.http.outgoing import Outgoing
from carewright.subscriptions.settings import SubscriptionsSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriptionsContext(Context):
    """`outgoing` reaches addresses that others gave us."""

    settings: SubscriptionsSettings
    access: Access
    patients: Patients
    scheduling: Scheduling
    outgoing: Outgoing
