"""Which patient comes to which visit: of the right age and sex, often to the same practitioner, never to two places at once."""

from dataclasses import dataclass

import numpy as np

from carewright.simulation.hospital.arrays import Floats, Ints, ints
from carewright.simulation.hospital.draw import Draw
from carewright.simulation.hospital.patients import PatientGroups

# A practitioner sees about this many people in a season; most visits are by those who come most often.
_PANEL = 500
_PANEL_SKEW = 1.6
_SKEW = 1.3
# Between two visits of one person, in ticks: a quarter of an hour, or two hours from one site to another.
_BETWEEN = 3
_TRAVEL = 24
_ROUNDS = 60


@dataclass(frozen=True)
class Visits:
    """Visits as columns: who may come (index into `GROUPS`), the practitioner who leads it or -1, site, first tick, tick after the last."""

    group: Ints
    practitioner: Ints
    site: Ints
    start: Ints
    end: Ints

    def __len__(self) -> int:
        return len(self.group)


class Crowd:
    """The patients, by who may come to what, each group in random order."""

    def __init__(self, draw: Draw, groups: PatientGroups) -> None:
        shuffled = [each[draw.order(len(each))] for each in groups]
        self._everybody = np.concatenate(shuffled)
        self._length = ints([len(each) for each in shuffled])
        self._begin = np.cumsum(self._length) - self._length

    def pick(self, group: Ints, position: Ints) -> Ints:
        """The patients at positions of their groups; positions begin anew at a group's end."""
        return self._everybody[self._begin[group] + position % self._length[group]]

    def sizes(self, group: Ints) -> Ints:
        return self._length[group]


def attend(draw: Draw, visits: Visits, crowd: Crowd) -> Ints:
    """A patient for every visit, or -1 for the few for whom nobody could be found."""
    panels = (draw.units(int(visits.practitioner.max(initial=0)) + 2) * 1e6).astype(np.int64)
    patient = np.full(len(visits), -1, np.int64)
    searching = np.arange(len(visits))
    for attempt in range(_ROUNDS):
        patient[searching] = _drawn(draw, visits, crowd, panels, searching, own=attempt < _ROUNDS // 4)
        searching = _clashing(visits, patient)
        if not len(searching):
            break
    patient[searching] = -1
    return patient


def _drawn(draw: Draw, visits: Visits, crowd: Crowd, panels: Ints, which: Ints, *, own: bool) -> Ints:
    group, practitioner = visits.group[which], visits.practitioner[which]
    size = crowd.sizes(group)
    units: Floats = draw.units(len(which))
    anywhere = (units**_SKEW * size).astype(np.int64)
    if not own:
        return crowd.pick(group, anywhere)
    in_panel = panels[practitioner] + (units**_PANEL_SKEW * np.minimum(size, _PANEL)).astype(np.int64)
    return crowd.pick(group, np.where(practitioner >= 0, in_panel, anywhere))


def _clashing(visits: Visits, patient: Ints) -> Ints:
    """Visits that begin before the patient's visit before them is over, with time to get there."""
    order = np.lexsort((visits.start, patient))
    before, after = order[:-1], order[1:]
    travel = np.where(visits.site[before] == visits.site[after], _BETWEEN, _TRAVEL)
    clash = (patient[before] == patient[after]) & (visits.start[after] < visits.end[before] + travel)
    late: Ints = after[clash]
    return late
