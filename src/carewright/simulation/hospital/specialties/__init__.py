"""The forty specialties: how many practise where, and what each offers.

The order matters: a smaller hospital takes the first ones. Shares are parts of a practitioner's visits, so they need not add up to one.
"""

from carewright.simulation.hospital.plan import Specialty
from carewright.simulation.hospital.specialties.family_and_mind import FAMILY_AND_MIND
from carewright.simulation.hospital.specialties.medicine import MEDICINE
from carewright.simulation.hospital.specialties.primary_care import PRIMARY_CARE
from carewright.simulation.hospital.specialties.surgery import SURGERY

SPECIALTIES: tuple[Specialty, ...] = (*PRIMARY_CARE, *MEDICINE, *SURGERY, *FAMILY_AND_MIND)
