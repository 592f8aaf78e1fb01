"""The context with what the rim may ask, and of whom."""

from dataclasses import dataclass

from carewright.contracts.directory import Directory
from carewright.contracts.patients import Patients
from carewright.contracts.scheduling import Scheduling
from carewright.fhir.settings import FhirSettings
from carewright.kernel.authz import Bearers
from carewright.kernel.context import Context


@dataclass(frozen=True, slots=True, kw_only=True)
class FhirContext(Context):
    """`bearers` tells whose token a request carries; the rest are the modules that keep the truth."""

    settings: FhirSettings
    bearers: Bearers
    directory: Directory
    patients: Patients
    scheduling: Scheduling
