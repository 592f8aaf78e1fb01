"""Migration's refusals: what ends an import of an older system's rows before the first is read."""

from carewright.kernel.errors import Refusal


class InvalidMapping(Refusal):
    code = "migration.invalid_mapping"
    status = 422
    issue = "invalid"
    title = "The mapping cannot be used."


class FileUnreadable(Refusal):
    code = "migration.file_unreadable"
    status = 422
    issue = "invalid"
    title = "The file cannot be read as CSV with a header."
