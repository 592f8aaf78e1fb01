"""The ports through which payers are asked: whether somebody is covered, and whether they agree to something beforehand."""

from typing import Literal, NamedTuple, Protocol

from carewright.coverage.model.question import Answer, Question, Request, Review

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


class Reviewer(Protocol):
    """Asks a payer for its agreement, and what became of that. As `ClearingHouse`, but that a request is made once: it opens a case.

    With `can_inquire` what was pended is asked about again; otherwise its answer comes by itself.
    """

    @property
    def can_inquire(self) -> bool: ...

    async def review(self, request: Request) -> Review | None: ...

    async def inquire(self, request: Request, number: str) -> Review | None: ...


class House(NamedTuple):
    """Through whom a payer is asked. `reviewer` is None where nobody asks for its agreement but the desk."""

    clearing_house: ClearingHouse
    reviewer: Reviewer | None


class Nobody:
    """Where no clearing-house is set up."""

    async def ask(self, question: Question) -> Answer | None:  # noqa: ARG002  # the port's
        raise NoAnswer("no-clearing-house")
