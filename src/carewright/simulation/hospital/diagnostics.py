"""Services laid out on rooms and benches instead of practitioners: laboratory, imaging, tests, nursing, infusions, therapy."""

from typing import Unpack

from carewright.simulation.hospital import specialty_codes as of
from carewright.simulation.hospital.plan import (
    Need,
    Rules,
    Service,
    Visit,
    bench,
    device,
    doctor,
    nurse,
    offers,
    room,
    technician,
)


def examination(name: str, minutes: int, *needs: Need, share: float, **rules: Unpack[Rules]) -> Visit:
    """A test or treatment without a practitioner of its own; most need a referral."""
    usual: Rules = {"lead_minutes": 4 * 60, "tiers": ("P1", "P2"), "referral": True}
    return Visit(name=name, minutes=minutes, needs=needs, share=share, **(usual | rules))


LABORATORY = offers(
    "Laboratory",
    of.PATHOLOGY,
    "Blood and urine samples, without a long wait.",
    examination("Blood draw", 10, bench("blood-collection"), technician("blood-collection"), share=0.7, grid=5, referral=False),
    examination(
        "Fasting blood draw", 10, bench("blood-collection"), technician("blood-collection"), share=0.25, grid=5, instructions="fasting"
    ),
    examination(
        "Glucose tolerance test",
        15,
        bench("blood-collection"),
        technician("blood-collection", minutes=10),
        share=0.05,
        grid=5,
        comes="adult",
        instructions="fasting",
    ),
)

IMAGING = offers(
    "Imaging",
    of.RADIOLOGY,
    "X-ray, ultrasound, CT, MRI, mammography and nuclear medicine.",
    examination("X-ray", 15, room("x-ray"), technician("radiography"), device("x-ray-unit"), share=0.9, grid=5, instructions="x-ray"),
    examination(
        "Bone density scan",
        20,
        room("x-ray"),
        technician("radiography"),
        device("bone-densitometer"),
        share=0.1,
        grid=5,
        comes="senior",
        instructions="x-ray",
        sites=("main",),
    ),
    examination("CT scan", 20, room("ct"), technician("ct-technology", after=5), device("ct-scanner"), share=0.6, instructions="x-ray"),
    examination(
        "CT scan with contrast",
        30,
        room("ct", clean=10),
        technician("ct-technology"),
        device("ct-scanner"),
        nurse("clinic-nursing", minutes=15),
        share=0.4,
        comes="adult",
        instructions="contrast",
    ),
    examination(
        "MRI scan",
        45,
        room("mri"),
        technician("mri-technology"),
        device("mri-scanner"),
        share=0.7,
        grid=15,
        instructions="mri",
    ),
    examination(
        "MRI scan with contrast",
        60,
        room("mri"),
        technician("mri-technology"),
        device("mri-scanner"),
        nurse("clinic-nursing", offset=15, minutes=15),
        share=0.3,
        grid=15,
        comes="adult",
        instructions="mri",
        confirm=True,
    ),
    examination(
        "Ultrasound scan",
        30,
        room("ultrasound"),
        technician("sonography"),
        device("ultrasound-machine"),
        share=1.0,
        instructions="ultrasound",
    ),
    examination(
        "Screening mammogram",
        20,
        room("mammography"),
        technician("mammography"),
        device("mammography-unit"),
        share=0.8,
        referral=False,
        comes="woman-40",
        instructions="mammogram",
    ),
    examination(
        "Diagnostic mammogram",
        30,
        room("mammography"),
        technician("mammography"),
        device("mammography-unit"),
        share=0.2,
        comes="woman-40",
        instructions="mammogram",
    ),
    examination(
        "Bone scan",
        60,
        room("nuclear", clean=10),
        technician("nuclear-medicine"),
        device("gamma-camera", offset=10, minutes=50),
        share=1.0,
        grid=15,
        comes="adult",
        instructions="contrast",
    ),
)

HEART_TESTS = offers(
    "Heart and Vessel Tests",
    of.CARDIOLOGY,
    "ECG, echocardiography, exercise tests and vessel ultrasound.",
    examination("ECG", 10, room("ecg"), technician("cardiac-testing"), device("ecg-machine"), share=1.0, grid=5),
    examination("Echocardiogram", 40, room("echo"), technician("cardiac-sonography"), device("echo-machine"), share=1.0, comes="adult"),
    examination(
        "Exercise stress test",
        45,
        room("stress", clean=10),
        technician("cardiac-testing"),
        device("exercise-system"),
        nurse("clinic-nursing", offset=10, minutes=25),
        doctor(of.CARDIOLOGY, offset=15, minutes=15),
        share=1.0,
        grid=15,
        comes="adult",
        instructions="stress-test",
    ),
    examination(
        "Vessel ultrasound",
        40,
        room("vascular-lab"),
        technician("sonography"),
        device("ultrasound-machine"),
        share=1.0,
        comes="adult",
    ),
)

LUNG_AND_NERVE_TESTS = offers(
    "Lung, Nerve and Sleep Tests",
    of.SLEEP,
    "Breathing tests, EEG and nights in the sleep laboratory.",
    examination(
        "Lung function test", 40, room("lung-function", clean=10), technician("respiratory-therapy"), device("spirometer"), share=1.0
    ),
    examination("EEG", 45, room("neurophysiology", clean=10), technician("neurophysiology"), device("eeg-system"), share=1.0, grid=15),
    examination(
        "Overnight sleep study",
        540,
        room("sleep", clean=30),
        technician("sleep-technology"),
        device("polysomnograph"),
        share=1.0,
        grid=15,
        comes="adult",
        instructions="sleep",
    ),
)

NURSING = offers(
    "Nursing Clinic",
    of.GENERAL_PRACTICE,
    "Vaccinations, dressings, injections and blood pressure.",
    examination(
        "Vaccination",
        15,
        room("nurse", clean=0),
        nurse("immunization"),
        share=0.45,
        grid=5,
        horizon_days=60,
        referral=False,
        instructions="vaccination",
    ),
    examination("Dressing change", 25, room("nurse"), nurse("wound-care"), share=0.3, grid=5),
    examination(
        "Blood pressure check", 15, room("nurse", clean=0), nurse("clinic-nursing"), share=0.25, grid=5, referral=False, comes="adult"
    ),
)

INFUSION = offers(
    "Infusion Center",
    of.ONCOLOGY,
    "Infusions and chemotherapy.",
    examination(
        "Short infusion",
        90,
        room("infusion", clean=10),
        nurse("infusion-therapy", minutes=30),
        device("infusion-pump"),
        share=0.5,
        grid=15,
        comes="adult",
        instructions="infusion",
    ),
    examination(
        "Chemotherapy infusion",
        180,
        room("infusion", clean=15),
        nurse("infusion-therapy", minutes=45),
        device("infusion-pump"),
        share=0.5,
        grid=15,
        comes="adult",
        instructions="infusion",
        confirm=True,
    ),
)

RADIATION = offers(
    "Radiation Treatment",
    of.RADIATION,
    "Daily radiation sessions.",
    examination(
        "Radiation treatment session",
        15,
        room("linac"),
        technician("radiotherapy"),
        device("linear-accelerator"),
        share=1.0,
        grid=5,
        comes="adult",
    ),
)

THERAPY = offers(
    "Physical Therapy",
    of.REHABILITATION,
    "Exercise and treatment after illness, injury or surgery.",
    examination("First therapy visit", 45, room("therapy"), technician("physiotherapy"), share=0.25, grid=15, instructions="therapy"),
    examination("Therapy session", 30, room("therapy"), technician("physiotherapy"), share=0.75, grid=15, instructions="therapy"),
)

SHARED_SERVICES: tuple[Service, ...] = (
    LABORATORY,
    IMAGING,
    HEART_TESTS,
    LUNG_AND_NERVE_TESTS,
    NURSING,
    INFUSION,
    RADIATION,
    THERAPY,
)
