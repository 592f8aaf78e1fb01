"""What every way of X12 has in common: who we are there, and reading an answer that may be a lie."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar, cast

from carewright.coverage.clearing.port import NoAnswer
from carewright.coverage.model.deciding import is_about
from carewright.coverage.model.question import Answer, Question, Request, Review
from carewright.coverage.model.x12.interchange import Envelope, Interchange, NotX12, Usage, parse
from carewright.coverage.model.x12.response import read_answer
from carewright.coverage.model.x12.review import is_review, read_review

CONTROL_NUMBERS = 999_999_999
Said = TypeVar("Said", Answer, Review)


@dataclass(frozen=True, slots=True)
class Account:
    """How a clearing-house knows us."""

    sender: str
    receiver: str
    usage: str
    user: str = ""
    password: str = ""


def envelope_of(account: Account, question: Question) -> Envelope:
    """The control number comes of the trace: nine digits tell two interchanges of a day apart, the trace tells all apart."""
    control = int(question.trace, 16) % CONTROL_NUMBERS + 1
    return Envelope(
        sender=account.sender, receiver=account.receiver, control=control, at=question.asked_at, usage=cast("Usage", account.usage)
    )


def traces_in(raw: bytes) -> tuple[str, ...]:
    """The questions that an answer says it is to, of either kind; none for what is no answer."""
    try:
        interchange = parse(raw)
        return (read_review if is_review(interchange) else read_answer)(interchange).traces
    except NotX12:
        return ()


def answer_in(raw: bytes, question: Question) -> Answer:
    """The answer to this question. Raises `NoAnswer` for what is none, or one to somebody else's."""
    return _believed(raw, question, read_answer)


def review_in(raw: bytes, request: Request) -> Review:
    """What a payer decided about this request. Raises `NoAnswer`, as `answer_in`."""
    return _believed(raw, request, read_review)


def _believed(raw: bytes, question: Question, read: Callable[[Interchange], Said]) -> Said:
    try:
        interchange = parse(raw)
        if not interchange.accepted or any(each.kind == "999" for each in interchange.transactions):
            raise NoAnswer("refused")
        said = read(interchange)
    except NotX12:
        raise NoAnswer("bad-answer") from None
    if not is_about(question, said):
        raise NoAnswer("bad-answer")
    return said
