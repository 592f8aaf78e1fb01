"""Specialties by SNOMED CT, as in FHIR's practice-setting value set (http://hl7.org/fhir/R4/valueset-c80-practice-codes.html).

General pediatrics (394537008) is SNOMED CT's own: the value set lists only its branches.
"""

from carewright.contracts.directory import Coding
from carewright.simulation.hospital.codes import SNOMED


def _sct(code: str, display: str) -> Coding:
    return Coding(system=SNOMED, code=code, display=display)


FAMILY = _sct("419772000", "Family practice")
CARDIOLOGY = _sct("394579002", "Cardiology")
GASTROENTEROLOGY = _sct("394584008", "Gastroenterology")
EMERGENCY = _sct("394576009", "Surgical-Accident & emergency")
INTERNAL = _sct("419192003", "Internal medicine")
PEDIATRICS = _sct("394537008", "Pediatric specialty")
ORTHOPEDICS = _sct("394801008", "Surgery-Trauma and orthopedics")
WOMEN = _sct("394585009", "Obstetrics and gynecology")
DERMATOLOGY = _sct("394582007", "Dermatology")
NEUROLOGY = _sct("394591006", "Neurology")
ONCOLOGY = _sct("394593009", "Medical oncology")
RADIATION = _sct("419815003", "Radiation oncology")
HEMATOLOGY = _sct("394803006", "Clinical hematology")
OPHTHALMOLOGY = _sct("394594003", "Ophthalmology")
OTOLARYNGOLOGY = _sct("418960008", "Otolaryngology")
UROLOGY = _sct("394612005", "Urology")
SURGERY = _sct("394609007", "Surgery-general")
COLORECTAL = _sct("408464004", "Surgery-Colorectal surgery")
VASCULAR = _sct("408463005", "Surgery-Vascular")
CARDIAC_SURGERY = _sct("408466002", "Surgery-Cardiac surgery")
NEUROSURGERY = _sct("394610002", "Surgery-Neurosurgery")
PLASTIC = _sct("394611003", "Surgery-Plastic surgery")
BREAST = _sct("408469009", "Surgery-Breast surgery")
TRANSPLANT = _sct("408477008", "Surgery-Transplantation surgery")
PSYCHIATRY = _sct("394587001", "Psychiatry")
CHILD_PSYCHIATRY = _sct("394588006", "Pediatric (Child and adolescent) psychiatry")
CHILD_CARDIOLOGY = _sct("408459003", "Pediatric cardiology")
REHABILITATION = _sct("394602003", "Rehabilitation")
PAIN = _sct("394882004", "Pain management")
ENDOCRINOLOGY = _sct("394583002", "Endocrinology")
NEPHROLOGY = _sct("394589003", "Nephrology")
RHEUMATOLOGY = _sct("394810000", "Rheumatology")
PULMONARY = _sct("418112009", "Pulmonary medicine")
INFECTIONS = _sct("394807007", "Infectious diseases")
GERIATRICS = _sct("394811001", "Geriatric medicine")
IMMUNOLOGY = _sct("408480009", "Clinical immunology")
DENTAL = _sct("408444009", "Dental-General dental practice")
ANESTHETICS = _sct("394577000", "Anesthetics")
INTERVENTIONAL_RADIOLOGY = _sct("408455009", "Radiology-Interventional radiology")
RADIOLOGY = _sct("394914008", "Radiology")
PATHOLOGY = _sct("394915009", "General pathology")
GENERAL_PRACTICE = _sct("394814009", "General practice")
SLEEP = _sct("408450004", "Sleep studies")
