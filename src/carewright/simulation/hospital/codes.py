"""Code systems the hospital speaks, and the kinds of room, device and skill it knows.

Specialties are SNOMED CT, from FHIR's practice-setting value set (http://hl7.org/fhir/R4/valueset-c80-practice-codes.html).
Kinds of room, device and skill have no one standard list, so they are the hospital's own codes.
"""

from dataclasses import dataclass
from typing import Literal

from carewright.contracts.directory import ActorKind, Coding

SNOMED = "http://snomed.info/sct"
ROLE = "http://terminology.hl7.org/CodeSystem/practitioner-role"
ROOM = "urn:carewright:room-type"
DEVICE = "urn:carewright:device-type"
BENCH = "urn:carewright:lab-bench-type"
BED = "urn:carewright:bed-type"
SKILL = "urn:carewright:skill"

SiteKey = Literal["main", "north", "west"]
SITE_KEYS: tuple[SiteKey, ...] = ("main", "north", "west")
Roster = Literal["clinic", "diagnostics", "always", "night"]
Spread = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of room, device, bench or skill: how many there are at the main site, the north and the west clinic."""

    code: str
    display: str
    spread: Spread
    hours: Roster = "clinic"
    building: str = ""


def token(system: str, code: str) -> str:
    """A code as requirements write it."""
    return f"{system}|{code}"


AMBULATORY = "Ambulatory Pavilion"
DIAGNOSTIC = "Diagnostic Center"
TOWER = "Main Tower"
CANCER = "Cancer Center"
CHILDREN = "Children's Pavilion"

ROOMS: tuple[Kind, ...] = (
    Kind("exam-primary", "Primary care exam room", (12, 8, 8), building=AMBULATORY),
    Kind("exam-medicine", "Medical specialties exam room", (28, 1, 1), building=AMBULATORY),
    Kind("exam-heart", "Heart clinic exam room", (7, 2, 2), building=AMBULATORY),
    Kind("exam-neuro", "Neuroscience exam room", (10, 0, 0), building=AMBULATORY),
    Kind("exam-surgery", "Surgical clinic exam room", (19, 0, 0), building=AMBULATORY),
    Kind("exam-ortho", "Orthopedic exam room", (10, 2, 0), building=AMBULATORY),
    Kind("exam-women", "Women's health exam room", (9, 2, 0), building=AMBULATORY),
    Kind("exam-children", "Children's exam room", (9, 0, 3), building=CHILDREN),
    Kind("exam-cancer", "Oncology exam room", (10, 0, 0), building=CANCER),
    Kind("exam-skin", "Dermatology exam room", (4, 1, 1), building=AMBULATORY),
    Kind("exam-eye-ear", "Eye and ear exam room", (10, 0, 0), building=AMBULATORY),
    Kind("counseling", "Counseling room", (8, 0, 1), building=AMBULATORY),
    Kind("emergency-bay", "Emergency treatment bay", (6, 0, 0), "always", TOWER),
    Kind("procedure", "Procedure room", (6, 0, 0), building=AMBULATORY),
    Kind("endoscopy", "Endoscopy suite", (4, 0, 0), building=DIAGNOSTIC),
    Kind("cath-lab", "Catheterization laboratory", (2, 0, 0), building=DIAGNOSTIC),
    Kind("operating-room", "Day surgery operating room", (4, 0, 0), building=TOWER),
    Kind("echo", "Echocardiography room", (3, 0, 0), building=DIAGNOSTIC),
    Kind("vascular-lab", "Vascular laboratory", (1, 0, 0), building=DIAGNOSTIC),
    Kind("stress", "Exercise testing room", (2, 0, 0), building=DIAGNOSTIC),
    Kind("x-ray", "X-ray room", (4, 1, 1), "diagnostics", DIAGNOSTIC),
    Kind("ct", "CT room", (2, 1, 0), "diagnostics", DIAGNOSTIC),
    Kind("mri", "MRI room", (2, 0, 0), "diagnostics", DIAGNOSTIC),
    Kind("ultrasound", "Ultrasound room", (4, 1, 1), "diagnostics", DIAGNOSTIC),
    Kind("mammography", "Mammography room", (2, 1, 0), building=CANCER),
    Kind("nuclear", "Nuclear medicine room", (2, 0, 0), building=DIAGNOSTIC),
    Kind("linac", "Linear accelerator vault", (2, 0, 0), building=CANCER),
    Kind("infusion", "Infusion bay", (9, 0, 0), building=CANCER),
    Kind("dental", "Dental operatory", (4, 0, 0), building=AMBULATORY),
    Kind("lung-function", "Lung function room", (2, 0, 0), building=DIAGNOSTIC),
    Kind("neurophysiology", "Neurophysiology room", (2, 0, 0), building=DIAGNOSTIC),
    Kind("sleep", "Sleep study bedroom", (4, 0, 0), "night", DIAGNOSTIC),
    Kind("cast", "Cast room", (2, 0, 0), building=AMBULATORY),
    Kind("therapy", "Therapy room", (4, 1, 1), building=AMBULATORY),
    Kind("nurse", "Nurse treatment room", (5, 2, 2), building=AMBULATORY),
    Kind("ecg", "ECG room", (2, 0, 0), building=DIAGNOSTIC),
)

DEVICES: tuple[Kind, ...] = (
    Kind("x-ray-unit", "X-ray unit", (4, 1, 1), "diagnostics"),
    Kind("ct-scanner", "CT scanner", (2, 1, 0), "diagnostics"),
    Kind("mri-scanner", "MRI scanner", (2, 0, 0), "diagnostics"),
    Kind("ultrasound-machine", "Ultrasound machine", (10, 2, 2), "diagnostics"),
    Kind("mammography-unit", "Mammography unit", (2, 1, 0), "diagnostics"),
    Kind("bone-densitometer", "Bone densitometer", (2, 0, 0), "diagnostics"),
    Kind("gamma-camera", "Gamma camera", (2, 0, 0), "diagnostics"),
    Kind("linear-accelerator", "Linear accelerator", (2, 0, 0), "diagnostics"),
    Kind("echo-machine", "Echocardiography machine", (5, 0, 0), "diagnostics"),
    Kind("ecg-machine", "ECG machine", (6, 0, 0), "diagnostics"),
    Kind("exercise-system", "Exercise testing system", (2, 0, 0), "diagnostics"),
    Kind("angiography-system", "Angiography system", (2, 0, 0), "diagnostics"),
    Kind("endoscopy-tower", "Endoscopy tower", (6, 0, 0), "diagnostics"),
    Kind("infusion-pump", "Infusion pump", (14, 0, 0), "diagnostics"),
    Kind("spirometer", "Spirometer", (4, 0, 0), "diagnostics"),
    Kind("eeg-system", "EEG system", (3, 0, 0), "diagnostics"),
    Kind("nerve-conduction-system", "Nerve conduction system", (2, 0, 0), "diagnostics"),
    Kind("polysomnograph", "Polysomnograph", (5, 0, 0), "always"),
    Kind("dental-unit", "Dental unit", (4, 0, 0), "diagnostics"),
    Kind("skin-laser", "Skin laser", (3, 0, 0), "diagnostics"),
    Kind("phototherapy-cabin", "Phototherapy cabin", (3, 0, 0), "diagnostics"),
    Kind("slit-lamp", "Slit lamp", (6, 0, 0), "diagnostics"),
    Kind("retina-scanner", "Retina scanner", (3, 0, 0), "diagnostics"),
    Kind("audiometer", "Audiometer", (3, 0, 0), "diagnostics"),
    Kind("cystoscope", "Cystoscope", (4, 0, 0), "diagnostics"),
    Kind("arthroscopy-tower", "Arthroscopy tower", (4, 0, 0), "diagnostics"),
    Kind("c-arm", "Mobile C-arm", (4, 0, 0), "diagnostics"),
    Kind("colposcope", "Colposcope", (3, 0, 0), "diagnostics"),
)

BENCHES: tuple[Kind, ...] = (Kind("blood-collection", "Blood collection bench", (6, 1, 1), "diagnostics", DIAGNOSTIC),)

BEDS: tuple[Kind, ...] = (
    Kind("medical", "Medical bed", (480, 0, 0)),
    Kind("surgical", "Surgical bed", (360, 0, 0)),
    Kind("intensive-care", "Intensive care bed", (96, 0, 0)),
    Kind("maternity", "Maternity bed", (84, 0, 0)),
    Kind("pediatric", "Children's bed", (108, 0, 0)),
    Kind("psychiatric", "Psychiatric bed", (72, 0, 0)),
)

NURSES: tuple[Kind, ...] = (
    Kind("clinic-nursing", "Clinic nursing", (57, 9, 9)),
    Kind("child-nursing", "Child nursing", (12, 0, 3)),
    Kind("sedation", "Sedation nursing", (30, 0, 0)),
    Kind("infusion-therapy", "Infusion therapy", (14, 0, 0)),
    Kind("wound-care", "Wound care", (9, 3, 3)),
    Kind("immunization", "Immunization", (9, 3, 3)),
    Kind("perioperative", "Perioperative nursing", (25, 0, 0)),
    Kind("emergency-nursing", "Emergency nursing", (32, 0, 0), "always"),
    Kind("maternity-nursing", "Maternity nursing", (7, 2, 0)),
)

TECHNICIANS: tuple[Kind, ...] = (
    Kind("blood-collection", "Blood collection", (22, 5, 5), "diagnostics"),
    Kind("radiography", "Radiography", (12, 4, 4), "diagnostics"),
    Kind("ct-technology", "CT technology", (6, 4, 0), "diagnostics"),
    Kind("mri-technology", "MRI technology", (6, 0, 0), "diagnostics"),
    Kind("sonography", "Sonography", (11, 4, 4), "diagnostics"),
    Kind("mammography", "Mammography", (5, 3, 0)),
    Kind("nuclear-medicine", "Nuclear medicine technology", (4, 0, 0)),
    Kind("radiotherapy", "Radiotherapy", (6, 0, 0)),
    Kind("cardiac-sonography", "Cardiac sonography", (6, 0, 0)),
    Kind("cardiac-testing", "Cardiac testing", (9, 0, 0)),
    Kind("respiratory-therapy", "Respiratory therapy", (4, 0, 0)),
    Kind("neurophysiology", "Neurophysiology", (4, 0, 0)),
    Kind("sleep-technology", "Sleep technology", (8, 0, 0), "night"),
    Kind("endoscopy-assistance", "Endoscopy assistance", (6, 0, 0)),
    Kind("surgical-technology", "Surgical technology", (6, 0, 0)),
    Kind("physiotherapy", "Physiotherapy", (7, 2, 2)),
    Kind("dental-hygiene", "Dental hygiene", (5, 0, 0)),
    Kind("ophthalmic-technology", "Ophthalmic technology", (3, 0, 0)),
    Kind("casting", "Casting", (3, 0, 0)),
)

KINDS: dict[ActorKind, tuple[str, tuple[Kind, ...]]] = {
    "room": (ROOM, ROOMS),
    "device": (DEVICE, DEVICES),
    "lab-bench": (BENCH, BENCHES),
    "nurse": (SKILL, NURSES),
    "technician": (SKILL, TECHNICIANS),
}


def coding(system: str, kind: Kind) -> Coding:
    """The coding of a kind."""
    return Coding(system=system, code=kind.code, display=kind.display)


# Skills some practitioners have beyond their specialty.
INTERVENTION = Coding(system=SKILL, code="interventional-cardiology", display="Interventional cardiology")
DEVICE_CLINIC = Coding(system=SKILL, code="cardiac-devices", display="Cardiac device care")
ADVANCED_ENDOSCOPY = Coding(system=SKILL, code="advanced-endoscopy", display="Advanced endoscopy")
ARTHROSCOPY = Coding(system=SKILL, code="arthroscopy", display="Arthroscopy")
SKIN_SURGERY = Coding(system=SKILL, code="micrographic-surgery", display="Micrographic skin surgery")
CATARACT = Coding(system=SKILL, code="cataract-surgery", display="Cataract surgery")
