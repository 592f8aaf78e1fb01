"""What solvers in processes of their own are asked, and what they answer: arrays as bytes, since a child is handed text."""

from typing import Any, Literal, NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt

from carewright.scheduling.model.planning import Plan, Problem

RuleKind = Literal["placed", "able", "starts", "apart", "together", "units", "fewer", "taken"]


class Array(msgspec.Struct, frozen=True):
    """An array as bytes, the last index running fastest."""

    kind: str
    shape: list[int]
    data: bytes


class Sent(msgspec.Struct, frozen=True):
    """A problem."""

    arrays: dict[str, Array]
    first: int


class SentPlan(msgspec.Struct, frozen=True):
    start: Array
    chosen: Array


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """The best plan of a small problem, looked for from `start`.

    For so many seconds by the wall, or for so much of the solver's own measure of work, which does not depend on the machine.
    """

    problem: Sent
    start: SentPlan
    seconds: float | None
    work: float | None
    seed: int


class Solved(msgspec.Struct, frozen=True, kw_only=True):
    """A plan, unless none was found; and whether there is none that is worth more."""

    plan: SentPlan | None
    proved: bool


class AskedWhy(msgspec.Struct, frozen=True, kw_only=True):
    """Why the visits `must` have no place together, whoever else stays where `plan` says."""

    problem: Sent
    plan: SentPlan
    must: list[int]
    seconds: float


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """One rule of those that cannot hold together. Numbers are those of the problem; ticks are `[since, until)`.

    - `placed`: `visit` has a place.
    - `able`: nobody can fill a role of `visit`.
    - `starts`: `visit` starts only where it may, from `since` to the last tick before `until`.
    - `apart`: `visit` starts from `least` to `most` ticks after `other` does, where both are placed.
    - `together`: `visit` is placed only while `other` is.
    - `units`: `pool` has `units` units, and no more at any time.
    - `fewer`: of these, from `since` until `until`, only `units` are there.
    - `taken`: one unit of `pool` is with `visit`, which stays, from `since` until `until`.
    """

    kind: RuleKind
    visit: int | None = None
    other: int | None = None
    pool: int | None = None
    units: int | None = None
    since: int | None = None
    until: int | None = None
    least: int | None = None
    most: int | None = None


class Reasons(msgspec.Struct, frozen=True, kw_only=True):
    """Rules that cannot hold together; none where they can. `minimal`: were any one of them given up, the others could."""

    rules: list[Rule]
    minimal: bool
    fell: str | None = None
    """Why nothing is known: the type of what happened to the solver, or `TimeoutError`."""


class ReasonsEach(msgspec.Struct, frozen=True):
    """For each visit that was asked about, by itself, in the same order."""

    each: list[Reasons]


class AskedPrices(msgspec.Struct, frozen=True):
    problem: Sent


class Prices(NamedTuple):
    """What the hours are worth, as a linear program prices them. Any such numbers prove a bound; the better they are, the nearer it is."""

    tick: npt.NDArray[np.float64]
    """[pools, ticks] A unit of a pool for a tick, 0 or more."""
    whole: npt.NDArray[np.float64]
    """[pools, ticks] What it is worth at that tick that a stretch of free time is filled to its end, 0 or more."""
    load: npt.NDArray[np.float64]
    """[pools] Ticks that a pool leads, about which the cost of uneven work is made straight."""


class SentPrices(msgspec.Struct, frozen=True):
    tick: Array
    whole: Array
    load: Array


def sent(problem: Problem) -> Sent:
    arrays = {name: array_of(getattr(problem, name)) for name in Problem._fields if name != "first"}
    return Sent(arrays, problem.first)


def received(problem: Sent) -> Problem:
    return Problem(**{name: values_of(array) for name, array in problem.arrays.items()}, first=problem.first)


def sent_plan(plan: Plan) -> SentPlan:
    return SentPlan(array_of(plan.start), array_of(plan.chosen))


def received_plan(plan: SentPlan) -> Plan:
    return Plan(values_of(plan.start), values_of(plan.chosen))


def sent_prices(prices: Prices) -> SentPrices:
    return SentPrices(*(array_of(values) for values in prices))


def received_prices(prices: SentPrices) -> Prices:
    return Prices(values_of(prices.tick), values_of(prices.whole), values_of(prices.load))


def array_of(values: npt.NDArray[np.generic]) -> Array:
    return Array(values.dtype.str, list(values.shape), np.ascontiguousarray(values).tobytes())


def values_of(array: Array) -> npt.NDArray[Any]:
    return np.frombuffer(array.data, array.kind).reshape(array.shape).copy()  # else nobody may write to it, and the kernel compiles anew
