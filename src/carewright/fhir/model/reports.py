"""Why a row of FHIR is not taken, or not as it stands: codes that are never renamed, and what each means."""

import msgspec

from carewright.kernel.errors import Refusal

REASONS = {
    # whole lines and files
    "fhir.import.unreadable_file": "The file cannot be opened or read.",
    "fhir.import.damaged_gzip": "The compressed file is damaged or cut off; everything before this line was read.",
    "fhir.import.line_too_long": "The line is longer than we read.",
    "fhir.import.bad_utf8": "The line is not UTF-8 text.",
    "fhir.import.bad_json": "The line is not JSON.",
    "fhir.import.not_an_object": "The line is JSON, but not a resource.",
    "fhir.import.bad_resource_type": "The resourceType is missing or is not the name of a resource.",
    "fhir.import.not_imported": "Rows of this type are not imported.",
    "fhir.import.repeated": "An earlier row of this import is the same.",
    "fhir.import.repeated_differently": "An earlier row of this import has the same id and other content; the earlier one was taken.",
    # rows
    "fhir.import.missing_id": "The row has no id.",
    "fhir.import.invalid_id": "The id is not a FHIR id (letters, digits, dash and dot, at most 64).",
    "fhir.import.wrong_shape": "An element does not have the shape FHIR R4 gives it.",
    "fhir.import.missing_name": "The row has no name.",
    "fhir.import.text_too_long": "A text is longer than we keep.",
    "fhir.import.control_character": "A text holds a control character.",
    "fhir.import.too_many_values": "A list is longer than we keep.",
    "fhir.import.invalid_birth_date": "The birth date is not a date.",
    "fhir.import.missing_device_type": "The device has no coded type.",
    "fhir.import.kind_of_place": "The row describes a kind of place, not a place.",
    "fhir.import.unsupported_place": "A place of this physical type is not used for scheduling.",
    "fhir.import.missing_part_of": "The place does not say which site it is part of.",
    "fhir.import.missing_practitioner": "The role does not say whose it is.",
    "fhir.import.unresolved_reference": "A needed reference points at nothing that was imported or is known.",
    "fhir.import.site_unknown": "The place is known, but not the site it belongs to; import the places together.",
    "fhir.import.circular_part_of": "The chain of partOf is circular or deeper than we keep.",
    "fhir.import.missing_code": "The observation does not say what was looked at.",
    "fhir.import.unsupported_value": "The value is of a kind that is not kept: quantities, codes and words are.",
    "fhir.import.missing_class": "The encounter has no coded class.",
    "fhir.import.missing_patient": "The row does not say whose it is.",
    "fhir.import.unknown_status": "The status is not one of FHIR's codes.",
    "fhir.import.invalid_time": "A time is not a FHIR dateTime with its zone.",
    # warnings
    "fhir.import.reference_dropped": "A reference points at nothing that was imported or is known; the row was kept without it.",
    "fhir.import.text_repaired": "A text had Windows-1252 punctuation in a wrong encoding; it was put right.",
    "fhir.import.identifier_without_system": "An identifier without a system was left out.",
    "fhir.import.identifier_of_another": "An identifier that another row or entry carries too was left out: it tells nobody apart.",
    "fhir.import.code_without_system": "A code without a system was left out.",
    "fhir.import.name_incomplete": "The name has no family name; what there is was taken for it.",
    "fhir.import.partial_birth_date": "The birth date lacks its day or month and was left out.",
    "fhir.import.partial_time": "A time is not known to the second and was left out.",
    "fhir.import.unknown_gender_code": "The gender is not one of FHIR's codes and was left out.",
    "fhir.import.invalid_language": "A language is not a BCP 47 tag and was left out.",
    "fhir.import.invalid_contact": "A phone number or e-mail address cannot be one and was left out.",
    "fhir.import.address_list": "The address is a list, which FHIR R4 does not have here; the first was taken.",
    "fhir.import.assumed_kind": "The place does not say what it is; the kind was taken from its position.",
    "fhir.import.site_within_site": "A site is not kept as part of another place; the reference was left out.",
    "fhir.import.time_zone_assumed": "The state has a second time zone in a small part; its main one was taken.",
    "fhir.import.time_zone_defaulted": "The address does not decide the time zone; the default was taken.",
    "fhir.import.role_without_site": "The role names no place, so nobody can be booked through it.",
    "fhir.import.device_without_place": "The device has no known place; it was kept, but cannot be booked.",
}  # fmt: skip
"""What each code means, in words. Codes are never renamed."""


class NothingToImport(Refusal):
    code = "fhir.import.nothing_to_import"
    status = 422
    issue = "not-found"
    title = "There are no .ndjson or .ndjson.gz files here."


class FilesChanged(Refusal):
    code = "fhir.import.files_changed"
    status = 409
    issue = "conflict"
    title = "The files changed while they were read. Run the import again; what is stored already will be recognised."


class Remark(msgspec.Struct, frozen=True):
    """A code and where in the row it applies, as a FHIR path such as `Patient.birthDate`."""

    code: str
    where: str = ""

    @property
    def reason(self) -> str:
        text = REASONS.get(self.code, "The row was refused.")
        return f"{text} ({self.where})" if self.where else text


class RowRejected(Exception):
    """A row that cannot be taken, with the reason. It ends that row alone."""

    def __init__(self, code: str, where: str = "") -> None:
        super().__init__(code)
        self.remark = Remark(f"fhir.import.{code}", where)
