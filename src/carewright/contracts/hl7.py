"""HL7 v2's language: the one refusal of what cannot be read."""

from carewright.kernel.errors import Refusal


class NotHl7(Refusal):
    """`rule` says what is wrong, in a word: `empty`, `header`, `delimiters`, `segment`, `charset`, `size`, `count`, `value`."""

    code = "hl7.not_hl7"
    status = 400
    issue = "structure"
    title = "This is not an HL7 v2 message that can be read."
