"""Whom a page is about: patients by name and birth date."""

import msgspec

from carewright.console.http.page import Ask
from carewright.contracts.patients import FindPatients, PatientsPage
from carewright.kernel.errors import BadInput

UNCLEAR = "Say two letters of the family name at least. A birth date looks like 1980-02-29."


async def patients_found(ask: Ask) -> PatientsPage | None:
    """Patients as the form names them; None where it says too little. The form is posted: names belong in no address."""
    given = {field: ask.form[field] for field in ("family", "birth_on") if ask.form.get(field)}
    try:
        return await ask.ctx.patients.find_patients(ask.ctx.actor, msgspec.convert(given, FindPatients))
    except (msgspec.ValidationError, BadInput):
        return None
