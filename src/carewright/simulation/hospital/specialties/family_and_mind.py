"""Women's and children's health, the mind, recovery, teeth."""

from carewright.simulation.hospital import specialty_codes as of
from carewright.simulation.hospital.plan import Specialty, Visit, clinic, device, doctor, nurse, offers, procedure, room, technician

FAMILY_AND_MIND: tuple[Specialty, ...] = (
    Specialty(
        service=offers(
            "Obstetrics and Gynecology",
            of.WOMEN,
            "Women's health, pregnancy and birth.",
            *clinic(of.WOMEN, "exam-women", comes="woman", referral=False, video=0.08),
            Visit(
                name="Pregnancy visit",
                minutes=30,
                needs=(
                    doctor(of.WOMEN),
                    room("exam-women"),
                    nurse("maternity-nursing", minutes=10),
                    device("ultrasound-machine", offset=10, minutes=15),
                ),
                share=0.20,
                comes="woman",
                tiers=("P1", "P2"),
                instructions="pregnancy",
            ),
            procedure(
                "Colposcopy",
                30,
                doctor(of.WOMEN),
                room("exam-women", clean=10),
                nurse("clinic-nursing"),
                device("colposcope"),
                share=0.05,
                comes="woman",
            ),
        ),
        spread=(12, 3, 0),
    ),
    Specialty(
        service=offers(
            "Psychiatry",
            of.PSYCHIATRY,
            "Mental health of adults.",
            *clinic(of.PSYCHIATRY, "counseling", new=60, follow=30, comes="adult", video=0.30, referral=False),
        ),
        spread=(8, 0, 2),
    ),
    Specialty(
        service=offers(
            "Child and Adolescent Psychiatry",
            of.CHILD_PSYCHIATRY,
            "Mental health of children and young people.",
            *clinic(of.CHILD_PSYCHIATRY, "counseling", new=60, follow=40, comes="child", video=0.25, rooming="child-nursing"),
        ),
        spread=(4, 0, 0),
    ),
    Specialty(
        service=offers(
            "Pediatric Cardiology",
            of.CHILD_CARDIOLOGY,
            "Heart conditions of children.",
            *clinic(of.CHILD_CARDIOLOGY, "exam-children", new=60, follow=30, comes="child", rooming="child-nursing"),
        ),
        spread=(3, 0, 0),
    ),
    Specialty(
        service=offers(
            "Rehabilitation Medicine",
            of.REHABILITATION,
            "Recovery of movement and function.",
            *clinic(of.REHABILITATION, "exam-ortho", new=60, follow=30, comes="adult"),
        ),
        spread=(7, 0, 0),
    ),
    Specialty(
        service=offers(
            "Dentistry",
            of.DENTAL,
            "Teeth and gums.",
            Visit(
                name="Dental check-up",
                minutes=30,
                needs=(
                    doctor(of.DENTAL, offset=10, minutes=20),
                    room("dental", clean=10),
                    technician("dental-hygiene", minutes=20),
                    device("dental-unit"),
                ),
                share=0.6,
                grid=10,
                instructions="dental",
                sites=("main",),
            ),
            Visit(
                name="Filling",
                minutes=45,
                needs=(doctor(of.DENTAL), room("dental", clean=10), technician("dental-hygiene"), device("dental-unit")),
                share=0.4,
                grid=15,
                instructions="dental",
                sites=("main",),
            ),
        ),
        spread=(4, 0, 0),
    ),
)
