"""Whom a page is about: patients by name and birth date, and what they are called."""

from collections.abc import Iterable
from uuid import UUID

import msgspec

from carewright.console.http.coverage_words import called
from carewright.console.http.page import Ask
from carewright.contracts.patients import FindPatients, Patient, PatientsPage
from carewright.kernel.errors import BadInput

UNCLEAR = "Say two letters of the family name at least. A birth date looks like 1980-02-29."


async def patients_found(ask: Ask) -> PatientsPage | None:
    """Patients as the form names them; None where it says too little. The form is posted: names belong in no address."""
    given = {field: ask.form[field] for field in ("family", "birth_on") if ask.form.get(field)}
    try:
        return await ask.ctx.patients.find_patients(ask.ctx.actor, msgspec.convert(given, FindPatients))
    except (msgspec.ValidationError, BadInput):
        return None


async def names_of_patients(ask: Ask, ids: Iterable[UUID | None]) -> dict[UUID, str]:
    """What these patients are called, by id, each asked for once. Nothing is asked where there are none."""
    wanted = tuple(dict.fromkeys(each for each in ids if each))
    return {each.id: called(each) for each in await ask.ctx.patients.get_patients(ask.ctx.actor, wanted)} if wanted else {}


def born(patient: Patient) -> str:
    """When somebody was born, in words; nothing where that is not known."""
    return f"born {patient.birth_on:%d %B %Y}" if patient.birth_on else ""
