"""The clearing-house behind a socket: the envelope of CAQH CORE vC2.2.0, HTTP MIME multipart, real time; and Da Vinci PAS."""

from dataclasses import dataclass
from email import policy
from email.parser import BytesParser
from uuid import NAMESPACE_OID, uuid5

import msgspec

from carewright.mock.eligibility.payer import Envelope, Lie, answer_to, enclosed, segments_of
from carewright.mock.eligibility.reviewer import Desk, Json, claim_response, review_of

ANSWER_TYPES = {
    "X12_270_Request_005010X279A1": "X12_271_Response_005010X279A1",
    "X12_278_Request_005010X217E1_2": "X12_278_Response_005010X217E1_2",
}
"""By what is asked."""
BOUNDARY = "carewright-mock-envelope"


@dataclass(frozen=True, slots=True, kw_only=True)
class Faults:
    """`slow_seconds` pass before every answer; the first `away` questions are answered 503; `lie` is told, whatever is asked."""

    slow_seconds: float = 0.0
    away: int = 0
    lie: Lie = "none"


class House:
    """Answers one envelope after another."""

    def __init__(self, faults: Faults) -> None:
        self.faults = faults
        self._left_away = faults.away
        self._desk = Desk()

    def answer(self, content_type: str, body: bytes) -> tuple[int, bytes, str]:
        """Status, body and content type of the answer to an envelope."""
        if self._left_away:
            self._left_away -= 1
            return 503, b"", "text/plain"
        parts = parts_of(content_type, body)
        if parts.get("PayloadType") not in ANSWER_TYPES or parts.get("ProcessingMode") != "RealTime":
            return self._said({"ErrorCode": "PayloadTypeIllegal", "ErrorMessage": "Send a 270 or a 278 in real time."}, parts)
        try:
            payload = self._payload(parts.get("Payload", ""))
        except (ValueError, LookupError):
            return self._said({"ErrorCode": "PayloadIllegal", "ErrorMessage": "This is nothing that can be read."}, parts)
        return self._said({"ErrorCode": "Success", "ErrorMessage": "", "Payload": payload}, parts)

    def claimed(self, operation: str, body: bytes) -> tuple[int, Json | str]:
        """Status and body of the answer to what was posted to `Claim/$submit` or `Claim/$inquire`."""
        if self._left_away:
            self._left_away -= 1
            return 503, {"resourceType": "OperationOutcome"}
        try:
            found = claim_response(msgspec.json.decode(body), self._desk, self.faults.lie, inquiry=operation == "$inquire")
        except (ValueError, LookupError, TypeError, StopIteration):
            return 400, {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "invalid"}]}
        if self.faults.lie in ("garbage", "cut", "kind"):
            return 200, "<html>It works!</html>" if self.faults.lie != "kind" else {"resourceType": "Patient"}
        is_inquiry = operation == "$inquire"
        return 200, {"resourceType": "Parameters", "parameter": [{"name": "return", "resource": found}]} if is_inquiry else found

    def _payload(self, question: str) -> str:
        segments = segments_of(question)
        if any(each[:2] == ["ST", "278"] for each in segments):
            asked = {each[0]: each for each in segments}
            body = review_of(segments, self._desk, self.faults.lie)
            return enclosed(asked, body, Envelope("HI", "278", "005010X217"), self.faults.lie)
        return answer_to(question, self.faults.lie)

    def _said(self, said: dict[str, str], parts: dict[str, str]) -> tuple[int, bytes, str]:
        number = str(uuid5(NAMESPACE_OID, parts.get("PayloadID", "")))
        envelope = {
            "PayloadType": ANSWER_TYPES.get(parts.get("PayloadType", ""), "CoreEnvelopeError"), "ProcessingMode": "RealTime",
            "PayloadID": number, "TimeStamp": parts.get("TimeStamp", ""),
            "SenderID": parts.get("ReceiverID", ""), "ReceiverID": parts.get("SenderID", ""), "CORERuleVersion": "2.2.0",
        }  # fmt: skip
        body = "".join(
            f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n' for name, value in (envelope | said).items()
        )
        return 200, f"{body}--{BOUNDARY}--\r\n".encode(), f"multipart/form-data; boundary={BOUNDARY}"


def parts_of(content_type: str, body: bytes) -> dict[str, str]:
    """The parts of a form by name; none for what is no form."""
    message = BytesParser(policy=policy.HTTP).parsebytes(b"Content-Type: " + content_type.encode() + b"\r\n\r\n" + body)
    if not message.is_multipart():
        return {}
    found = ((part.get_param("name", header="content-disposition"), part.get_payload(decode=True)) for part in message.iter_parts())
    return {str(name): bytes(value).decode("ascii", "replace") for name, value in found if isinstance(value, bytes)}
