"""What CDS Hooks' use cases run in: the common context, and whom they ask."""

from dataclasses import dataclass

from carewright.cds.settings import CdsSettings
from carewright.contracts.access import Access
from carewright.contracts.coverage import Coverages
from carewright.contracts.directory import Directory
from carewright.contracts.patients import Patients
from carewright.contracts.scheduling import Scheduling
from carewright.kernel.context import Context
from carewright.kernel.http.outgoing import Outgoing


@dataclass(frozen=True, slots=True, kw_only=True)
class CdsContext(Context):
    """The modules that know what cards say. Until a caller has proved who they are, the actor is the system."""

    settings: CdsSettings
    access: Access
    directory: Directory
    patients: Patients
    scheduling: Scheduling
    coverages: Coverages
    outgoing: Outgoing
