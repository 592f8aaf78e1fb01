"""Whose records a search reaches, and from which on: a list in the order of ids, of everybody's or of one patient's own."""

from collections.abc import Sequence
from typing import Protocol, TypeVar
from uuid import UUID

import msgspec

from carewright.kernel.context import Context
from carewright.kernel.errors import BadInput, Forbidden
from carewright.kernel.values import utc

FIRST_ID = UUID(int=0)


class OfPatients(Protocol):
    """A search that may name whose records it wants."""

    @property
    def patient_ids(self) -> Sequence[UUID]: ...


S = TypeVar("S", bound=OfPatients)


def within_reach(ctx: Context, query: S, any_patient: str, times: tuple[str, str]) -> S | None:
    """The search within what the actor may see, with its `times` in UTC; None where nothing is left to look for.

    Without the permission `any_patient` it is of the one patient that the actor acts for. Raises `Forbidden` for who acts for nobody.
    """
    bounds: dict[str, object] = {name: utc(at) for name in times if (at := getattr(query, name))}
    if not ctx.actor.may(any_patient):
        own = ctx.actor.patient_id
        if own is None:
            raise Forbidden("You can act for yourself only.")
        if query.patient_ids and own not in query.patient_ids:
            return None
        bounds["patient_ids"] = (own,)
    return msgspec.structs.replace(query, **bounds)  # type: ignore[type-var]  # every search is a Struct


def id_after(cursor: str | None) -> UUID:
    """Behind which id the page begins. Raises `BadInput`."""
    try:
        return UUID(cursor) if cursor else FIRST_ID
    except ValueError as fault:
        raise BadInput("`after` is not a cursor of an earlier page.", parameter="after") from fault
