"""Which of several moves links allow, and which of them only together. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from uuid import UUID

from carewright.scheduling.model.links import Bond, Lying, fits

Moves = Mapping[UUID, Lying]
"""By appointment, where each would lie."""


def breaking(moves: Moves, bonds: Sequence[Bond]) -> dict[UUID, UUID]:
    """Moves that would break a link, even where all the others are made; each with the link.

    A move that is not made leaves its appointment where it is, so that others may break a link by it in their turn.
    """
    found: dict[UUID, UUID] = {}
    while True:
        left = {id_: to for id_, to in moves.items() if id_ not in found}
        new = {
            each: bond.link.id
            for bond in bonds
            if not _fits(bond, left, left)
            for each in (bond.link.appointment_id, bond.link.depends_on_id)
            if each in left
        }
        if not new:
            return found
        found |= new


def together(moves: Moves, bonds: Sequence[Bond]) -> list[frozenset[UUID]]:
    """The moves in groups: those of one group one after the other would break a link in between. Most are alone."""
    group = {each: frozenset((each,)) for each in moves}
    for bond in bonds:
        one, other = bond.link.appointment_id, bond.link.depends_on_id
        if one in moves and other in moves and not (_fits(bond, moves, {}) and _fits(bond, {}, moves)):
            joined = group[one] | group[other]
            group |= dict.fromkeys(joined, joined)
    return _distinct(group.values())


def _fits(bond: Bond, moves_of_one: Moves, moves_of_other: Moves) -> bool:
    one = moves_of_one.get(bond.link.appointment_id, bond.one)
    return fits(bond.link, one, moves_of_other.get(bond.link.depends_on_id, bond.other))


def _distinct(groups: Iterable[frozenset[UUID]]) -> list[frozenset[UUID]]:
    return list(dict.fromkeys(groups))
