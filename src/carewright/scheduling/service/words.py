"""What a plan says in sentences: why visits have no place, and what fell back while it was looked for.

A reason is made of rules that cannot hold together (`engines/conflict.py`). Each sentence says of one need of the visit when nobody can
meet it, of the starts that the sentences before it leave; together they leave none. Nothing is said that those rules do not say.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from carewright.contracts.directory import ActorKind, Requirement
from carewright.contracts.planner import FellBack, NoPlace
from carewright.scheduling.engines.apart import Why
from carewright.scheduling.engines.asked import Rule
from carewright.scheduling.engines.port import Fall
from carewright.scheduling.engines.starts import stretches_of
from carewright.scheduling.model.planning import Longs, Problem, open_at
from carewright.scheduling.model.posing import Need, Posed, lead_first
from carewright.scheduling.model.ticks import TICK_MINUTES, Flags
from carewright.scheduling.service.day import Day

PLENTY = 1_000_000
TIMES_SAID_MAX = 4
PEOPLE: frozenset[ActorKind] = frozenset({"practitioner", "nurse", "technician"})
THERE: dict[ActorKind, str] = {"room": "open", "bed": "open", "lab-bench": "open", "device": "in service"}
ELSEWHERE = "the patient is elsewhere"
ROOM_FOR_IT = "There is room for it without moving anybody else, which the search did not use. Look for longer."
NEVER_AT_ONCE = "At the times that are left for each of these, they are never all free at once."
NO_SOLVER = "Why is not known: the solver that finds out is not installed on this machine."
NO_TIME = "Why is not known: there was not enough time to find out."
WHO_FELL = {"exact": "The exact solver", "bound": "The bound, which says what no plan can be better than,"}
WHY_FELL = {
    "ModuleNotFoundError": "needs a program that is not installed on this machine", "TimeoutError": "took longer than there was time",
    "Killed": "ran out of memory or time", "MemoryError": "ran out of memory", "TooMany": "takes fewer visits than these",
    "Unsound": "came to a plan that breaks a rule, which was thrown away",
}  # fmt: skip
INSTEAD = {"exact": "The search went on without it.", "bound": "How near to it this plan is, is not known."}


class Blocked(NamedTuple):
    """When a need cannot be met: ticks, of those that are `planned` for it; and the starts, first and last of each row of them.

    `plainly`: no start between these would do either.
    """

    ticks: Flags
    planned: slice
    starts: list[tuple[int, int]]
    plainly: bool


def fallen(falls: Iterable[Fall]) -> tuple[FellBack, ...]:
    """What had no answer, why, and what was done instead."""
    return tuple(FellBack(what=each.what, code=each.why, text=_fallen(each)) for each in falls)


def reasons_of(day: Day, posed: Posed, why: Iterable[Why]) -> tuple[NoPlace, ...]:
    """Why each of these appointments has no place while everybody else stays where the plan says."""
    return tuple(
        NoPlace(appointment_id=day.appointments[each.visit].id, texts=texts_of(day, posed, each), minimal=each.reasons.minimal)
        for each in why if each.visit < len(day.appointments)
    )  # fmt: skip


def _fallen(fall: Fall) -> str:
    who = WHO_FELL.get(fall.what, f"The engine “{fall.what}”")
    why = WHY_FELL.get(fall.why, f"ended by a fault ({fall.why})")
    return f"{who} {why}. {INSTEAD.get(fall.what, 'A simpler one was asked instead.')}"


def texts_of(day: Day, posed: Posed, why: Why) -> tuple[str, ...]:
    """Why a visit has no place, sentence by sentence."""
    fell, rules = why.reasons.fell, why.reasons.rules
    if fell:
        return ({"ModuleNotFoundError": NO_SOLVER, "TimeoutError": NO_TIME}.get(fell, f"Why is not known: the solver ended ({fell})."),)
    return tuple(_Reason(day, posed, why.visit, rules).sentences()) if rules else (ROOM_FOR_IT,)


class _Reason:
    """Why one visit has no place, sentence by sentence; each leaves fewer starts to the next."""

    def __init__(self, day: Day, posed: Posed, number: int, rules: Sequence[Rule]) -> None:
        self.day, self.problem, self.number, self.rules = day, posed.problem, number, rules
        self.visit, self.kind = posed.visits[number], day.kind_of(number)
        self.units = _there(posed.problem, rules)
        roles = slice(self.problem.role_from[number], self.problem.role_from[number + 1])
        self.first, self.last = day.first - day.base, self.problem.ticks - int(self.problem.role_until[roles].max())
        """The first and the last start within what is planned."""
        self.left = np.zeros(self.problem.ticks, bool)
        self.left[self.first : self.last + 1] = True

    def sentences(self) -> list[str]:
        found = [*self._starts(), *self._links()]
        role = int(self.problem.role_from[self.number])
        for place in lead_first(self.visit):
            need = self.visit.needs[place]
            found += self._need(need, self.kind.requirements[place], role)
            role += need.units
        if role < self.problem.role_from[self.number + 1]:
            found += self._patient(role)
        return [*found, NEVER_AT_ONCE] if self.left.any() else found

    def _starts(self) -> list[str]:
        """Where it may start, whoever is free."""
        if not any(rule.kind == "starts" and rule.visit == self.number for rule in self.rules):
            return []
        self.left &= open_at(self.problem, self.number)
        ticks = np.flatnonzero(self.left)
        if not len(ticks):
            return [f"There is no time within what is planned at which it may start, or {ELSEWHERE}."]
        first, last = self._start(int(ticks[0])), self._start(int(ticks[-1]))
        grid = f"every {self.kind.rules.grid_minutes} minutes " if self.visit.booked is not None else ""
        when = f"at {first} only" if first == last else f"{grid}from {first} to {last}"
        return [f"It may start {when}: within what is planned, as its links allow, and while the patient is not elsewhere."]

    def _links(self) -> list[str]:
        """What it may not be without, and from what it keeps its distance."""
        found = []
        for rule in self.rules:
            if rule.kind in ("together", "apart") and rule.visit is not None and rule.other is not None:
                other = self.day.kind_of(rule.other if rule.visit == self.number else rule.visit).name
                without = f"It does not take place without “{other}”, which has no place either."
                found.append(without if rule.kind == "together" else f"It has to keep its distance from “{other}”.")
        return list(dict.fromkeys(found))

    def _need(self, need: Need, asked: Requirement, role: int) -> list[str]:
        """When nobody can meet a need of the visit."""
        if len(need.candidates) < need.units:
            self.left[:] = False
            return [_too_few(need, asked)]
        pools = self._pools(role)
        able = _from_where(self.units[pools], need.since, need.until, need.units)
        blocked = self._blocked(able, need.since, need.until)
        if blocked is None:
            return []
        lacking = blocked.ticks & (self.units[pools].sum(axis=0) < need.units)
        is_closed = (self.day.is_open(need.candidates)[:, lacking].sum(axis=0) < need.units).all()
        length = "" if (lacking == blocked.ticks).all() else f" for {(need.until - need.since) * TICK_MINUTES} minutes"
        state = THERE.get(asked.kind, "at work") if is_closed else "free"
        return [self._said(self._nobody(need, asked, f"{state}{length}"), blocked, able)]

    def _patient(self, role: int) -> list[str]:
        """When the patient has another visit."""
        since, until = int(self.problem.role_since[role]), int(self.problem.role_until[role])
        able = _from_where(self.units[self._pools(role)], since, until, 1)
        blocked = self._blocked(able, since, until)
        return [] if blocked is None else [self._said(ELSEWHERE, blocked, able)]

    def _pools(self, role: int) -> list[int]:
        options = slice(self.problem.option_from[role], self.problem.option_from[role + 1])
        return [int(pool) for pool in self.problem.option_pool[options]]

    def _blocked(self, able: Flags, since: int, until: int) -> Blocked | None:
        """Of the starts that are left those from which a need is not met; None where there is none."""
        starts = np.flatnonzero(self.left)
        rows = [(int(starts[first]), int(starts[end - 1])) for first, end in stretches_of(~able[starts])]
        if not rows:
            return None
        ticks = np.zeros(len(able), bool)
        for first, last in rows:
            ticks[first + since : last + until] = True
        for start in np.flatnonzero(self.left & able):
            ticks[start + since : start + until] = False
        plainly = not any(able[first : last + 1].any() for first, last in rows)
        return Blocked(ticks, slice(self.first + since, self.last + until), rows, plainly)

    def _said(self, nobody: str, blocked: Blocked, able: Flags) -> str:
        """The sentence, after which fewer starts are left."""
        self.left &= able
        if blocked.plainly:
            text = f"{nobody} {self._when(blocked)}"
        else:
            rows = [f"between {self._start(first)} and {self._start(last)}" for first, last in blocked.starts]
            text = f"whenever it may start {_or(rows)}, {nobody}"
        return f"{text[0].upper()}{text[1:]}."

    def _nobody(self, need: Need, asked: Requirement, state: str) -> str:
        if len(need.candidates) == 1:
            return f"{self.day.name_of(need.candidates[0])} is not {state}"
        if need.units > 1:
            return f"fewer than the {need.units} that it needs at once ({_noun(asked)}) are {state}"
        return f"no {_noun(asked)} is {state}"

    def _when(self, blocked: Blocked) -> str:
        return _or([self._between(since, until, blocked.planned) for since, until in stretches_of(blocked.ticks)])

    def _between(self, since: int, until: int, planned: slice) -> str:
        if since <= planned.start:
            return "at any time that is planned" if until >= planned.stop else f"before {self._at(until)}"
        return f"after {self._at(since)}" if until >= planned.stop else f"between {self._at(since)} and {self._at(until)}"

    def _start(self, tick: int) -> str:
        return self._time(self.day.start_at(self.number, tick))

    def _at(self, tick: int) -> str:
        return self._time(self.day.instant_of(tick))

    def _time(self, instant: datetime) -> str:
        """At the site; with the day of the week where it is not the first day that is planned."""
        local, first = (each.astimezone(self.day.zone) for each in (instant, self.day.instant_of(self.day.first - self.day.base)))
        return local.strftime("%H:%M" if local.date() == first.date() else "%H:%M on %A")


def _there(problem: Problem, rules: Iterable[Rule]) -> Longs:
    """[pools, ticks] Units that these rules leave; plenty of what they do not speak of."""
    units = np.full(problem.capacity.shape, PLENTY, np.int64)
    kinds = ("units", "fewer", "taken")
    for rule in sorted((rule for rule in rules if rule.kind in kinds), key=lambda rule: kinds.index(rule.kind)):
        ticks = units[rule.pool, rule.since : rule.until]
        ticks[...] = ticks - 1 if rule.kind == "taken" else np.minimum(ticks, rule.units or 0)
    return units


def _from_where(units: Longs, since: int, until: int, wanted: int) -> Flags:
    """[ticks] From which starts on as many units as wanted are there from `since` until `until` after it."""
    ticks = units.shape[1]
    able = np.zeros(ticks, bool)
    if until <= ticks:
        able[: ticks - until + 1] = (sliding_window_view(units, until - since, axis=1).min(axis=2).sum(axis=0) >= wanted)[since:]
    return able


def _too_few(need: Need, asked: Requirement) -> str:
    if not need.candidates:
        return f"There is no {_noun(asked)} at this site."
    return f"It needs {need.units} at once ({_noun(asked)}), and there is only {len(need.candidates)} at this site."


def _noun(asked: Requirement) -> str:
    """“ultrasound room”, “practitioner for Cardiology”, “lab bench”."""
    if not asked.label:
        return asked.kind.replace("-", " ")
    if asked.kind in PEOPLE:
        return f"{asked.kind} for {asked.label}"
    return f"{asked.label[0].lower()}{asked.label[1:]}" if asked.label[1:2].islower() else asked.label


def _or(said: Sequence[str]) -> str:
    more = len(said) - TIMES_SAID_MAX
    return " or ".join([*said[:TIMES_SAID_MAX], f"at {more} other {'time' if more == 1 else 'times'}"] if more > 0 else said)
