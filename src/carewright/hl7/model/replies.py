"""What a partner answers to a message of ours: MSA and ERR in all their forms, and what that makes of the message."""

import re

import msgspec

from carewright.hl7.model.message import Message

TAKEN, REFUSED = frozenset({"AA", "CA"}), frozenset({"AE", "AR", "CE", "CR"})
CONDITION = re.compile(r"[0-9]{1,4}")
SAID_MAX = 500


class Reply(msgspec.Struct, frozen=True):
    """`reason` is empty where the message was taken, else MSA-1 with the code of table 0357 (`AE-103`); `said` is the partner's text."""

    reason: str = ""
    said: str = ""


def reply_in(answer: Message, control_id: str) -> Reply | None:
    """The reply to the message of that control id; None for what answers another one, or is no answer."""
    code = answer.text("MSA", 1)
    if answer.text("MSA", 2) != control_id or code not in TAKEN | REFUSED:
        return None
    if code in TAKEN:
        return Reply()
    condition = next(filter(CONDITION.fullmatch, (answer.text("ERR", 3), answer.text("ERR", 1, 4), answer.text("MSA", 6))), "")
    texts = (answer.text("MSA", 3), answer.text("ERR", 3, 2), answer.text("ERR", 1, 4, 2), answer.text("ERR", 7), answer.text("ERR", 8))
    return Reply(f"{code}-{condition}" if condition else code, " ".join(dict.fromkeys(filter(None, texts)))[:SAID_MAX])
