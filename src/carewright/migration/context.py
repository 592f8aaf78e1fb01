"""The context, with whom migration hands its values."""

from dataclasses import dataclass

from carewright.contracts.directory import Directory
from carewright.contracts.patients import Patients
from carewright.contracts.scheduling import Scheduling
from carewright.kernel.context import Context


@dataclass(frozen=True, slots=True, kw_only=True)
class MigrationContext(Context):
    """`patients` and `scheduling` decide about every value, as they do for everybody; `directory` knows for whom an id stands."""

    directory: Directory
    patients: Patients
    scheduling: Scheduling
