"""Why a row is not taken: codes that are never renamed, and what each means."""

REASONS = {
    "migration.import.not_csv": "The record is no CSV: a quote is not closed, or a byte is not of the file's encoding.",
    "migration.import.wrong_width": "The record has more or fewer values than there are columns.",
    "migration.import.not_json": "The line is no FHIR resource in JSON.",
    "migration.import.not_text": "A value is not of the dump's encoding.",
    "migration.import.not_a_patient": "It is no patient: somebody of the staff.",
    "migration.import.not_a_visit": "It is no visit of a patient: time that is closed, or a note in the calendar.",
    "migration.import.series": "It stands for a series of visits. Book the series here.",
    "migration.import.missing_value": "A needed value is empty.",
    "migration.import.unknown_code": "The word is not in the field's table of codes.",
    "migration.import.not_an_id": "The value is no id of ours.",
    "migration.import.invalid_date": "The date does not have the mapping's format.",
    "migration.import.invalid_time": "The time does not have the mapping's format.",
    "migration.import.no_such_time": "On that day the clocks leave this time out.",
    "migration.import.out_of_form": "A value is longer than we keep, or not of the form that it must have.",
    "migration.import.repeated": "An earlier row has the same id.",
    "migration.import.unknown_patient": "No patient is known by this id of the source. Import the patients first.",
    "migration.import.ambiguous_patient": "Several patients are known by this id of the source.",
    "migration.import.passed": "The appointment lies in the past and was never here.",
    "migration.import.other_service": "The older system is not master of this kind of visit at this site.",
    "migration.import.switched": "We are master of this service by now, and have it differently. Nothing was changed: look at the report.",
    "migration.import.agreed": "We are master of this service by now, and have it just so.",
    "migration.import.ended": "The appointment ended there and was never here.",
}  # fmt: skip


class RowRejected(Exception):
    """A row that cannot be taken, with the code and the field. It ends that row alone."""

    def __init__(self, code: str, field: str = "") -> None:
        super().__init__(code)
        self.code = f"migration.import.{code}"
        self.reason = f"{REASONS[self.code]} ({field})" if field else REASONS[self.code]
