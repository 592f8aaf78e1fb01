"""Lay visits out on the calendars that lead them: full days first, from which a later step takes visits away."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from carewright.simulation.hospital.arrays import Floats, Ints, ints
from carewright.simulation.hospital.bookable import Bookable, BookableColumns
from carewright.simulation.hospital.draw import Draw
from carewright.simulation.hospital.openings import Openings


@dataclass(frozen=True)
class Candidates:
    """Visits that could take place, as columns: row of the bookable table, leading actor, first tick of the visit."""

    row: Ints
    actor: Ints
    start: Ints

    def __len__(self) -> int:
        return len(self.row)

    def taking(self, which: Ints) -> "Candidates":
        """Those at the positions given."""
        return Candidates(self.row[which], self.actor[which], self.start[which])


@dataclass(frozen=True)
class _Mixes:
    """What visits on a calendar are made of: for each mix its rows and their cumulated shares, padded, and its shortest row."""

    rows: Ints
    edges: Floats
    shortest: Ints


def lay_out(draw: Draw, openings: Openings, rows: Sequence[Bookable], columns: BookableColumns) -> Candidates:
    """Fill every opening of a leading actor with visits of its mix, one after another, each on its visit type's grid."""
    mixes, mix_of_opening = _mixes(openings, rows, columns)
    active = np.flatnonzero(mix_of_opening >= 0)
    cursor = openings.start.copy()
    found: list[Candidates] = []
    while len(active):
        mix = mix_of_opening[active]
        drawn = (mixes.edges[mix] <= draw.units(len(active))[:, None]).sum(axis=1)
        row = mixes.rows[mix, drawn]
        start, end = _placed(columns, row, cursor[active])
        late = end > openings.end[active]
        row = np.where(late, mixes.shortest[mix], row)
        start, end = _placed(columns, row, cursor[active])
        fits = end <= openings.end[active]
        active, row, start, end = active[fits], row[fits], start[fits], end[fits]
        cursor[active] = end
        found.append(Candidates(row, openings.actor[active], start))
    return _joined(found)


def _placed(columns: BookableColumns, row: Ints, cursor: Ints) -> tuple[Ints, Ints]:
    """First start on the grid at which the leading actor's claim begins no earlier than the cursor, and that claim's end."""
    grid, first = columns.grid[row], columns.lead_first[row]
    start = -((first - cursor) // grid) * grid
    return start, start + first + columns.lead_length[row]


def _mixes(openings: Openings, rows: Sequence[Bookable], columns: BookableColumns) -> tuple[_Mixes, Ints]:
    led: dict[tuple[int, int], list[int]] = {}
    for number, row in enumerate(rows):
        for actor in row.lead.pool:
            led.setdefault((actor, row.site), []).append(number)
    kinds = {mix: at for at, mix in enumerate(dict.fromkeys(tuple(mix) for mix in led.values()))}
    places = zip(openings.actor.tolist(), openings.site.tolist(), strict=True)
    of_opening = ints([kinds[tuple(led[place])] if place in led else -1 for place in places])
    return _table(list(kinds), rows, columns), of_opening


def _table(kinds: list[tuple[int, ...]], rows: Sequence[Bookable], columns: BookableColumns) -> _Mixes:
    width = max(len(mix) for mix in kinds)
    members = np.zeros((len(kinds), width), np.int64)
    edges = np.ones((len(kinds), width))
    for at, mix in enumerate(kinds):
        shares = np.cumsum([rows[number].share for number in mix])
        members[at, : len(mix)] = mix
        edges[at, : len(mix)] = shares / shares[-1]
    shortest = ints([min(mix, key=lambda number: int(columns.lead_length[number])) for mix in kinds])
    return _Mixes(members, edges, shortest)


def _joined(parts: list[Candidates]) -> Candidates:
    return Candidates(
        np.concatenate([part.row for part in parts]),
        np.concatenate([part.actor for part in parts]),
        np.concatenate([part.start for part in parts]),
    )
