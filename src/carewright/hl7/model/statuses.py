"""Table 0278, the filler's status of an appointment, and what it becomes here.

Source: HL7 v2-to-FHIR (https://build.fhir.org/ig/HL7/v2-to-fhir), Table HL70278 to FHIR R4 appointmentstatus. Discontinued, Blocked and
Overbook have no target there; docs/adr/0023-what-hl7-v2-becomes.md has ours.
"""

from typing import Literal

Target = Literal["booked", "checked-in", "fulfilled", "cancelled", "noshow", "entered-in-error", "by-hand"]
TARGETS: dict[str, Target] = {
    "": "booked",
    "BOOKED": "booked",
    "OVERBOOK": "booked",
    "STARTED": "checked-in",
    "COMPLETE": "fulfilled",
    "CANCELLED": "cancelled",
    "DISCONTINUED": "cancelled",
    "DELETED": "entered-in-error",
    "NOSHOW": "noshow",
    "PENDING": "by-hand",
    "WAITLIST": "by-hand",
    "BLOCKED": "by-hand",
    "DC": "cancelled",
}
