"""X12 over HTTP as the operating rules for eligibility have it: CAQH CORE Connectivity Rule vC2.2.0, HTTP MIME multipart, real time.

Health plans and clearing-houses must offer it (45 CFR 162.1203), whatever else they offer.
"""

import asyncio
from collections.abc import Callable
from email import policy
from email.parser import BytesParser
from typing import Any, NamedTuple
from uuid import UUID

import httpx

from carewright.coverage.clearing.port import NoAnswer
from carewright.coverage.clearing.x12 import Account, answer_in, envelope_of, review_in
from carewright.coverage.model.question import Answer, Question, Request, Review
from carewright.coverage.model.x12.inquiry import write_question
from carewright.coverage.model.x12.interchange import Envelope, NotX12
from carewright.coverage.model.x12.review import write_request
from carewright.kernel.errors import Refusal, Unavailable
from carewright.kernel.retries import RetryBudget

RULE_VERSION = "2.2.0"
TRIES = 2
"""A question that nobody took is asked once more, within the same time."""
AWAY = frozenset({408, 429, 500, 502, 503, 504})


class Form(NamedTuple):
    """A kind of question: how the envelope calls it and its answer, and how it is written."""

    question: str
    answer: str
    write: Callable[[Any, Envelope], bytes]


ELIGIBILITY = Form("X12_270_Request_005010X279A1", "X12_271_Response_005010X279A1", write_question)
REVIEW = Form("X12_278_Request_005010X217E1_2", "X12_278_Response_005010X217E1_2", write_request)
"""Appendix of the rule. A 278's guide is named with its errata there, and without them inside (GS08)."""


class CoreHttp:
    """Asks at one address, for `seconds` at most in all."""

    can_inquire = False

    def __init__(self, url: str, there: httpx.AsyncBaseTransport, account: Account, seconds: float) -> None:
        self._url, self._account, self._seconds = url, account, seconds
        self._budget = RetryBudget("payer")
        self._client = httpx.AsyncClient(transport=there, timeout=seconds, trust_env=False, follow_redirects=False)

    async def ask(self, question: Question) -> Answer | None:
        return answer_in(await self._payload(question, ELIGIBILITY, TRIES), question)

    async def review(self, request: Request) -> Review | None:
        """A request opens a case with the payer: it is sent once, and by its number, should somebody send it again."""
        return review_in(await self._payload(request, REVIEW, 1), request)

    async def inquire(self, request: Request, number: str) -> Review | None:  # noqa: ARG002  # the port's
        return None

    async def _payload(self, question: Question, form: Form, tries: int) -> bytes:
        try:
            async with asyncio.timeout(self._seconds):
                return _payload(await self._asked(question, form, tries), form)
        except TimeoutError:
            raise NoAnswer("payer-away") from None

    async def _asked(self, question: Question, form: Form, tries: int) -> httpx.Response:
        """The first answer that is one. Raises `NoAnswer`."""
        parts = {name: (None, value) for name, value in self._envelope(question, form).items()}
        for _ in self._budget.turns(tries):
            try:
                answer = await self._client.post(self._url, files=parts)
            except (httpx.TransportError, Unavailable):
                continue
            except Refusal:
                raise NoAnswer("bad-answer") from None
            if answer.status_code not in AWAY:
                return _taken(answer)
        raise NoAnswer("payer-away")

    def _envelope(self, question: Question, form: Form) -> dict[str, bytes]:
        """Section 4.4.2 of the rule. The id is that of the question: who gets it twice knows."""
        try:
            payload = form.write(question, envelope_of(self._account, question))
        except NotX12:
            raise NoAnswer("refused") from None
        account = self._account
        said = {
            "PayloadType": form.question, "ProcessingMode": "RealTime", "PayloadID": str(UUID(hex=question.trace)),
            "TimeStamp": f"{question.asked_at:%Y-%m-%dT%H:%M:%SZ}", "UserName": account.user, "Password": account.password,
            "SenderID": account.sender, "ReceiverID": account.receiver, "CORERuleVersion": RULE_VERSION,
        }  # fmt: skip
        return {name: value.encode() for name, value in said.items()} | {"Payload": payload}


def _taken(answer: httpx.Response) -> httpx.Response:
    if answer.status_code != httpx.codes.OK:
        raise NoAnswer("refused")
    return answer


def _payload(answer: httpx.Response, form: Form) -> bytes:
    """The X12 within the answer's envelope. Raises `NoAnswer` for an envelope that says no, or is none."""
    head = b"Content-Type: " + answer.headers.get("content-type", "").encode("latin-1") + b"\r\n\r\n"
    message = BytesParser(policy=policy.HTTP).parsebytes(head + answer.content)
    if message.get_content_type() != "multipart/form-data" or not message.is_multipart():
        raise NoAnswer("bad-answer")
    parts = {part.get_param("name", header="content-disposition"): part.get_payload(decode=True) for part in message.iter_parts()}
    if parts.get("ErrorCode", b"Success") != b"Success":
        raise NoAnswer("refused")
    payload = parts.get("Payload")
    if parts.get("PayloadType") != form.answer.encode() or not isinstance(payload, bytes):
        raise NoAnswer("bad-answer")
    return payload
