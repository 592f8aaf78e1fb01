"""The demonstration hospital: 1,200 beds, three sites, forty specialties, ninety days of calendars, from one generator and a date.

`build_hospital` makes it, `summarise` measures it. Steps, a file each: `plan`, `specialties`, `diagnostics` say what is offered; `places`
and `staff` who and what there is; `services` what the directory stores; `hours` and `openings` when everybody works; `layout` lays visits
out, `demand` says which are wanted, `packing` finds their actors, `attendance` their patients, `booking` joins these to `appointments`.
"""

from carewright.simulation.hospital.appointments import AppointmentRecord, Appointments, ClaimRecord, Claims, OpeningRecord, Registry
from carewright.simulation.hospital.build import build_hospital
from carewright.simulation.hospital.hospital import BookableActor, Hospital
from carewright.simulation.hospital.openings import Openings
from carewright.simulation.hospital.patients import PatientRecord, Patients
from carewright.simulation.hospital.size import FULL, TINY, HospitalSize
from carewright.simulation.hospital.summary import Summary, summarise

__all__ = [
    "FULL",
    "TINY",
    "AppointmentRecord",
    "Appointments",
    "BookableActor",
    "ClaimRecord",
    "Claims",
    "Hospital",
    "HospitalSize",
    "OpeningRecord",
    "Openings",
    "PatientRecord",
    "Patients",
    "Registry",
    "Summary",
    "build_hospital",
    "summarise",
]
