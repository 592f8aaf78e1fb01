"""The medical specialties."""

from carewright.simulation.hospital import specialty_codes as of
from carewright.simulation.hospital.codes import SKIN_SURGERY
from carewright.simulation.hospital.plan import Specialty, clinic, device, doctor, nurse, offers, procedure, room, technician

MEDICINE: tuple[Specialty, ...] = (
    Specialty(
        service=offers(
            "Neurology",
            of.NEUROLOGY,
            "Brain, nerves and muscles.",
            *clinic(of.NEUROLOGY, "exam-neuro", new=60, follow=30),
            procedure(
                "Nerve conduction study",
                45,
                doctor(of.NEUROLOGY),
                room("neurophysiology", clean=5),
                technician("neurophysiology", minutes=30),
                device("nerve-conduction-system"),
                share=0.06,
                comes="adult",
                instructions="arrive",
            ),
        ),
        spread=(10, 0, 0),
    ),
    Specialty(
        service=offers(
            "Endocrinology and Diabetes",
            of.ENDOCRINOLOGY,
            "Diabetes, thyroid and other glands.",
            *clinic(of.ENDOCRINOLOGY, "exam-medicine", video=0.25),
        ),
        spread=(8, 0, 0),
        outreach=("west",),
    ),
    Specialty(
        service=offers("Nephrology", of.NEPHROLOGY, "Kidney disease and high blood pressure.", *clinic(of.NEPHROLOGY, "exam-medicine")),
        spread=(7, 0, 0),
    ),
    Specialty(
        service=offers(
            "Rheumatology",
            of.RHEUMATOLOGY,
            "Joints, connective tissue and immune conditions.",
            *clinic(of.RHEUMATOLOGY, "exam-medicine", comes="adult"),
            procedure(
                "Joint injection",
                30,
                doctor(of.RHEUMATOLOGY),
                room("exam-medicine"),
                nurse("clinic-nursing", minutes=20),
                device("ultrasound-machine", minutes=20),
                share=0.08,
                comes="adult",
            ),
        ),
        spread=(7, 0, 0),
    ),
    Specialty(
        service=offers(
            "Pulmonary Medicine",
            of.PULMONARY,
            "Lungs and breathing.",
            *clinic(of.PULMONARY, "exam-medicine"),
            procedure(
                "Bronchoscopy",
                60,
                doctor(of.PULMONARY, offset=15, minutes=30),
                room("endoscopy", clean=15),
                nurse("sedation"),
                technician("endoscopy-assistance", offset=10, minutes=40),
                device("endoscopy-tower", offset=10, minutes=40, after=15),
                share=0.05,
                comes="adult",
                instructions="sedation",
            ),
        ),
        spread=(8, 0, 0),
    ),
    Specialty(
        service=offers(
            "Infectious Diseases", of.INFECTIONS, "Infections, travel advice and HIV care.", *clinic(of.INFECTIONS, "exam-medicine")
        ),
        spread=(5, 0, 0),
    ),
    Specialty(
        service=offers(
            "Geriatric Medicine",
            of.GERIATRICS,
            "Care for older adults, memory and mobility.",
            *clinic(of.GERIATRICS, "exam-medicine", new=60, follow=30, comes="senior", referral=False),
        ),
        spread=(6, 0, 0),
    ),
    Specialty(
        service=offers(
            "Allergy and Immunology",
            of.IMMUNOLOGY,
            "Allergies, asthma and immune deficiencies.",
            *clinic(of.IMMUNOLOGY, "exam-medicine"),
            procedure(
                "Allergy skin test",
                60,
                doctor(of.IMMUNOLOGY, offset=40, minutes=20),
                room("procedure", clean=5),
                nurse("clinic-nursing", minutes=30),
                share=0.14,
                instructions="allergy-test",
            ),
        ),
        spread=(5, 0, 0),
    ),
    Specialty(
        service=offers(
            "Hematology",
            of.HEMATOLOGY,
            "Blood, clotting and bone marrow.",
            *clinic(of.HEMATOLOGY, "exam-cancer"),
            procedure(
                "Bone marrow biopsy",
                45,
                doctor(of.HEMATOLOGY, minutes=35),
                room("procedure", clean=10),
                nurse("sedation"),
                share=0.04,
                comes="adult",
            ),
        ),
        spread=(6, 0, 0),
    ),
    Specialty(
        service=offers(
            "Medical Oncology",
            of.ONCOLOGY,
            "Cancer treatment with medicines.",
            *clinic(of.ONCOLOGY, "exam-cancer", new=60, follow=30, comes="adult"),
        ),
        spread=(9, 0, 0),
    ),
    Specialty(
        service=offers(
            "Radiation Oncology",
            of.RADIATION,
            "Cancer treatment with radiation.",
            *clinic(of.RADIATION, "exam-cancer", new=60, follow=20, comes="adult"),
            procedure(
                "Radiation planning visit",
                60,
                doctor(of.RADIATION, minutes=30),
                room("ct", clean=5),
                technician("radiotherapy"),
                device("ct-scanner"),
                share=0.10,
                comes="adult",
                instructions="arrive",
            ),
        ),
        spread=(5, 0, 0),
    ),
    Specialty(
        service=offers(
            "Dermatology",
            of.DERMATOLOGY,
            "Skin, hair and nails.",
            *clinic(of.DERMATOLOGY, "exam-skin", follow=20, referral=False),
            procedure(
                "Skin biopsy",
                30,
                doctor(of.DERMATOLOGY),
                room("exam-skin", clean=10),
                nurse("clinic-nursing"),
                share=0.10,
                sites=("main", "north", "west"),
            ),
            procedure(
                "Micrographic skin surgery",
                120,
                doctor(of.DERMATOLOGY, SKIN_SURGERY),
                room("procedure", clean=15),
                nurse("perioperative"),
                share=0.04,
                comes="adult",
                confirm=True,
            ),
            procedure(
                "Laser treatment",
                30,
                doctor(of.DERMATOLOGY),
                room("procedure", clean=10),
                device("skin-laser"),
                share=0.05,
                comes="adult",
            ),
        ),
        spread=(8, 0, 0),
        outreach=("north", "west"),
        skills=(SKIN_SURGERY,),
    ),
    Specialty(
        service=offers(
            "Sleep Medicine", of.SLEEP, "Sleep and breathing at night.", *clinic(of.SLEEP, "exam-medicine", comes="adult", video=0.35)
        ),
        spread=(3, 0, 0),
    ),
)
