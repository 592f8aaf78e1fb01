"""The port through which payers are asked."""

from typing import Literal, Protocol

from carewright.coverage.model.question import Answer, Question

Reason = Literal["payer-away", "bad-answer", "refused", "no-clearing-house"]


class NoAnswer(Exception):
    """`payer-away` may be asked again; `bad-answer` was none to this question; `refused` and `no-clearing-house` take a person."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason)
        self.reason: Reason = reason


class ClearingHouse(Protocol):
    """Asks a payer. Within its time it answers, or says that the answer comes later (None), or raises `NoAnswer`.

    A question changes nothing anywhere: it may be asked again.
    """

    async def ask(self, question: Question) -> Answer | None: ...


class Nobody:
    """Where no clearing-house is set up."""

    async def ask(self, question: Question) -> Answer | None:  # noqa: ARG002  # the port's
        raise NoAnswer("no-clearing-house")
