"""Appointments page by page, where the search asks for nothing that is left to decide: a page then costs itself, not the whole result."""

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from msgspec.structs import replace

from carewright.contracts.cursors import cursor_behind
from carewright.contracts.fhir.refusals import SearchTooWide
from carewright.fhir.context import FhirContext
from carewright.fhir.model.searching.narrowing import is_exact, narrowing
from carewright.fhir.model.searching.paging import NOTHING, Cursor, Page, page_of
from carewright.fhir.model.searching.search import Search, Sort
from carewright.fhir.service import referrals
from carewright.fhir.service.candidates import appointment_question
from carewright.fhir.store import search_definitions


class Walked(NamedTuple):
    """A page, and how many match; None where nobody counted as far."""

    page: Page
    total: int | None


def in_order(asked: Search) -> Search:
    """`asked`, and where it names no order of appointments, by date."""
    if asked.type != "Appointment" or asked.sorts:
        return asked
    return replace(asked, sorts=(Sort(search_definitions().of("Appointment")["date"], is_descending=False),))


async def walked(ctx: FhirContext, asked: Search, cursor: Cursor | None) -> Walked | None:
    """The page of `asked` at `cursor`; None where the matches must be decided one by one. Raises `SearchTooWide`."""
    if not is_exact(asked) or [sort.parameter.code for sort in asked.sorts] != ["date"]:
        return None
    question = await appointment_question(ctx, narrowing(asked))
    if question is None:
        return Walked(NOTHING, 0)
    is_backward = cursor is not None and cursor.is_backward
    found = await ctx.scheduling.search_appointments(
        ctx.actor,
        replace(
            question, order="-start" if asked.sorts[0].is_descending != is_backward else "start", limit=asked.count or 1,
            after=_behind(cursor) if cursor else None, count=asked.total != "none" or asked.is_count_only,
        ),
    )  # fmt: skip
    if asked.is_count_only:
        return Walked(NOTHING, _counted(found.total))
    shown = await referrals.shown(ctx, found.items[::-1] if is_backward else found.items)
    is_end = found.next is None
    page = page_of(asked, shown, is_first=is_end if is_backward else cursor is None, is_last=is_end and not is_backward)
    return Walked(page, found.total)


def _behind(cursor: Cursor) -> str:
    start, identity = cursor.place
    return cursor_behind(datetime.fromisoformat(str(start)), UUID(str(identity).partition("/")[2]))


def _counted(total: int | None) -> int:
    if total is None:
        raise SearchTooWide("There are more than are counted. Narrow the search.")
    return total
