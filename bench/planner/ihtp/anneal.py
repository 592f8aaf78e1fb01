"""Annealing of a whole plan, in compiled code: patients move, change places and nurses change rooms, and each move knows what it costs.

Small moves of all three decisions at once, judged by what they change, is what the second of the competition did, too (Othman and
Chiarandini, A multi-neighborhood, lexicographic local search algorithm for IHTC-2024, EURO 2025). Here a rule that is broken has a price,
and what a patient costs in a place never falls below nothing, so that adding it up ends as soon as it is too much.

All of it stands in one file, since machine code is kept by the file that it comes from.
"""

from typing import NamedTuple

import numpy as np

from bench.planner.ihtp.instance import SHIFTS, Ward
from carewright.scheduling.engines.compiled import compiled
from carewright.scheduling.engines.kernel import MULTIPLIER, below, chance
from carewright.scheduling.model.planning import Bits, Ints, Longs

OUT = -1
CROWD = 8
"""How many more may be in a room than there are beds, while a plan is under work."""
NO_LIMIT = 1e18
NOTHING = 2**62
"""What the best plan costs while there is none."""


class Prices(NamedTuple):
    """What a broken rule costs while a plan is under work."""

    bed: int
    """For each day: a patient without a bed, one of another gender than most in the room."""
    minute: int
    """Of a theatre or a surgeon beyond what they have."""
    left: int
    """A patient who must be admitted and is not."""


class Temper(NamedTuple):
    """Temperatures, and how often which move is tried: the rest are patients who change places."""

    hot: float
    cold: float
    nurse: float = 0.5
    nurses: float = 0.15
    move: float = 0.2


class Plan(NamedTuple):
    """A plan under work, and the best one."""

    day: Ints
    room: Ints
    theatre: Ints
    nurse: Ints
    """[rooms, shifts]"""
    inside: Ints
    """[rooms, days], and who they are."""
    who: Ints
    genders: Ints
    """[rooms, days, 2]"""
    ages: Ints
    """[rooms, days, groups], and the groups that are there as bits."""
    groups: Ints
    load: Ints
    """[nurses, shifts]"""
    seen: Ints
    """[people, nurses] In how many shifts."""
    theatre_use: Ints
    surgeon_use: Ints
    surgeon_in: Ints
    """[surgeons, days, theatres] How many patients."""
    mark: Ints
    """[nurses + 1] To reckon in: whom a stay has met already; the number of the stay stands last."""
    score: Longs
    """[3] What the plan costs in all; of that, for broken rules; what the best plan costs."""
    best: Ints
    """[3, patients] Day, room, theatre."""
    best_nurse: Ints
    random: Bits


def prices_of(ward: Ward) -> Prices:
    """Each dearer than to leave somebody out who may stay out: half an hour of a surgeon, the least there is, twice that."""
    left = ward.weights.left
    return Prices(bed=left, minute=1 + left // 15, left=4 * left)


def plan_of(ward: Ward, prices: Prices, seed: int) -> Plan:
    """Nobody is admitted; every room has a nurse who is on duty."""
    rng = np.random.default_rng(seed)
    duties = zip(ward.on_duty, ward.on_duty_count, strict=True)
    nurse = np.array([rng.choice(row[:count], len(ward.beds)) for row, count in duties], np.int32)
    return _empty(ward, prices, np.ascontiguousarray(nurse.T), seed)


def resumed(ward: Ward, prices: Prices, other: Plan) -> Plan:
    """The best plan of another, as a plan under work."""
    plan = _empty(ward, prices, other.best_nurse.copy(), 0)
    for patient, (day, room, theatre) in enumerate(other.best.T.tolist()):
        saved = take(ward, plan, prices, patient)
        plan.score[0] += cost_of(ward, plan, prices, patient, day, room, theatre, NO_LIMIT) - saved
        put(ward, plan, prices, patient, day, room, theatre)
    keep(ward, plan)
    return plan


def _empty(ward: Ward, prices: Prices, nurse: Ints, seed: int) -> Plan:
    patients, people = ward.patients, len(ward.stay)
    rooms, nurses, theatres, days = len(ward.beds), len(ward.skill), len(ward.theatre_most), ward.days
    out, groups = np.full(people, OUT, np.int32), len(ward.span).bit_length() - 1
    left = int(np.where(ward.must, prices.left, ward.weights.left).sum())
    plan = Plan(
        day=out.copy(), room=out.copy(), theatre=out.copy(), nurse=nurse, inside=_none(rooms, days),
        who=_none(rooms, days, int(ward.beds.max()) + CROWD), genders=_none(rooms, days, 2), ages=_none(rooms, days, groups),
        groups=_none(rooms, days), load=_none(nurses, days * SHIFTS), seen=_none(people, nurses), theatre_use=_none(theatres, days),
        surgeon_use=_none(len(ward.surgeon_most), days), surgeon_in=_none(len(ward.surgeon_most), days, theatres), mark=_none(nurses + 1),
        score=np.array([left, int(ward.must.sum()) * prices.left, NOTHING]), best=np.full((3, patients), OUT, np.int32),
        best_nurse=nurse.copy(), random=np.array([(seed + 1) * MULTIPLIER & (2**64 - 1)], np.uint64),
    )  # fmt: skip
    for person, room in enumerate(ward.there.tolist(), patients):
        plan.score[0] += stay_cost(ward, plan, prices, person, 0, room, NO_LIMIT)
        enter(ward, plan, person, 0, room)
    return plan


def _none(*shape: int) -> Ints:
    return np.zeros(shape, np.int32)


@compiled
def one_of(plan: Plan, n: int) -> int:
    """One of 0 to n - 1, as a number with a sign."""
    return int(np.int64(below(plan.random, n)))


@compiled
def broken_days(ward: Ward, plan: Plan, person: int, day: int, room: int) -> int:
    """On how many days of the stay the room would lack a bed for somebody, or have somebody of another gender than most."""
    broken = 0
    gender = ward.gender[person]
    for when in range(day, min(ward.days, day + ward.stay[person])):
        broken += plan.inside[room, when] >= ward.beds[room]
        broken += plan.genders[room, when, 1 - gender] > plan.genders[room, when, gender]
    return broken


@compiled
def stay_cost(ward: Ward, plan: Plan, prices: Prices, person: int, day: int, room: int, limit: float) -> int:
    """What it would cost to have somebody in a room from a day on: at least 0, and reckoned up to the limit only."""
    weights, end = ward.weights, min(ward.days, day + ward.stay[person])
    cost = prices.bed * broken_days(ward, plan, person, day, room)
    for when in range(day, end):
        groups = plan.groups[room, when]
        cost += weights.age * (ward.span[groups | 1 << ward.age[person]] - ward.span[groups])
    nurses = ward.skill.shape[0]
    plan.mark[nurses] += 1
    stamp, since = plan.mark[nurses], day * SHIFTS
    for shift in range(since, end * SHIFTS):
        if cost > limit:
            return cost
        nurse = plan.nurse[room, shift]
        if plan.mark[nurse] != stamp:
            plan.mark[nurse] = stamp
            cost += weights.nurses
        cost += weights.skill * max(0, ward.needs[person, shift - since] - ward.skill[nurse])
        work, spare = ward.work[person, shift - since], ward.most[nurse, shift] - plan.load[nurse, shift]
        cost += weights.load * max(0, work - max(0, spare))
    return cost


@compiled
def overtime(ward: Ward, plan: Plan, patient: int, day: int, theatre: int) -> int:
    """Minutes beyond what the theatre and the surgeon have, that a surgery would add."""
    surgeon, minutes = ward.surgeon[patient], ward.surgery[patient]
    spare = max(0, ward.theatre_most[theatre, day] - plan.theatre_use[theatre, day])
    surgeon_spare = max(0, ward.surgeon_most[surgeon, day] - plan.surgeon_use[surgeon, day])
    late: int = max(0, minutes - spare) + max(0, minutes - surgeon_spare)
    return late


@compiled
def surgery_cost(ward: Ward, plan: Plan, prices: Prices, patient: int, day: int, theatre: int) -> int:
    """What it would cost to have the surgery then and there."""
    weights, surgeon = ward.weights, ward.surgeon[patient]
    cost: int = weights.delay * (day - ward.first[patient]) + prices.minute * overtime(ward, plan, patient, day, theatre)
    if plan.theatre_use[theatre, day] == 0:
        cost += weights.theatre
    if plan.surgeon_in[surgeon, day, theatre] == 0 and plan.surgeon_use[surgeon, day] > 0:
        cost += weights.transfer
    return cost


@compiled
def enter(ward: Ward, plan: Plan, person: int, day: int, room: int) -> None:
    """Somebody is in a room from a day on."""
    plan.day[person], plan.room[person] = day, room
    gender, age = ward.gender[person], ward.age[person]
    for when in range(day, min(ward.days, day + ward.stay[person])):
        plan.who[room, when, plan.inside[room, when]] = person
        plan.inside[room, when] += 1
        plan.genders[room, when, gender] += 1
        plan.ages[room, when, age] += 1
        plan.groups[room, when] |= 1 << age
        for shift in range(when * SHIFTS, when * SHIFTS + SHIFTS):
            nurse = plan.nurse[room, shift]
            plan.load[nurse, shift] += ward.work[person, shift - day * SHIFTS]
            plan.seen[person, nurse] += 1


@compiled
def leave(ward: Ward, plan: Plan, person: int) -> None:
    """Undo `enter`."""
    day, room = plan.day[person], plan.room[person]
    gender, age = ward.gender[person], ward.age[person]
    for when in range(day, min(ward.days, day + ward.stay[person])):
        last = plan.inside[room, when] - 1
        place = 0
        while plan.who[room, when, place] != person:
            place += 1
        plan.who[room, when, place] = plan.who[room, when, last]
        plan.inside[room, when] = last
        plan.genders[room, when, gender] -= 1
        plan.ages[room, when, age] -= 1
        if plan.ages[room, when, age] == 0:
            plan.groups[room, when] &= ~(1 << age)
        for shift in range(when * SHIFTS, when * SHIFTS + SHIFTS):
            nurse = plan.nurse[room, shift]
            plan.load[nurse, shift] -= ward.work[person, shift - day * SHIFTS]
            plan.seen[person, nurse] -= 1
    plan.day[person] = OUT


@compiled
def operate(ward: Ward, plan: Plan, patient: int, day: int, theatre: int, sign: int) -> None:
    """The surgery takes place, or does not any more where the sign is -1."""
    surgeon = ward.surgeon[patient]
    plan.theatre[patient] = theatre
    plan.theatre_use[theatre, day] += sign * ward.surgery[patient]
    plan.surgeon_use[surgeon, day] += sign * ward.surgery[patient]
    plan.surgeon_in[surgeon, day, theatre] += sign


@compiled
def price(ward: Ward, plan: Plan, prices: Prices, patient: int, day: int, room: int, theatre: int) -> int:
    """What the rules cost that would be broken."""
    if day == OUT:
        return prices.left if ward.must[patient] else 0
    broken = broken_days(ward, plan, patient, day, room)
    return prices.bed * broken + prices.minute * overtime(ward, plan, patient, day, theatre)


@compiled
def cost_of(ward: Ward, plan: Plan, prices: Prices, patient: int, day: int, room: int, theatre: int, limit: float) -> int:
    """What a patient who is out would cost there, or out; reckoned up to the limit only."""
    if day == OUT:
        return prices.left if ward.must[patient] else ward.weights.left
    cost = surgery_cost(ward, plan, prices, patient, day, theatre)
    return cost if cost > limit else cost + stay_cost(ward, plan, prices, patient, day, room, limit - cost)


@compiled
def put(ward: Ward, plan: Plan, prices: Prices, patient: int, day: int, room: int, theatre: int) -> None:
    plan.score[1] += price(ward, plan, prices, patient, day, room, theatre)
    if day != OUT:
        enter(ward, plan, patient, day, room)
        operate(ward, plan, patient, day, theatre, 1)


@compiled
def take(ward: Ward, plan: Plan, prices: Prices, patient: int) -> int:
    """A patient leaves the plan. Returns what that saves; who is out already saves the cost of being so."""
    day, room, theatre = plan.day[patient], plan.room[patient], plan.theatre[patient]
    if day != OUT:
        leave(ward, plan, patient)
        operate(ward, plan, patient, day, theatre, -1)
    plan.score[1] -= price(ward, plan, prices, patient, day, room, theatre)
    return cost_of(ward, plan, prices, patient, day, room, theatre, NO_LIMIT)


@compiled
def may(ward: Ward, plan: Plan, patient: int, day: int, room: int) -> bool:
    """Whether a patient may be admitted then and there, whoever else is."""
    if day == OUT:
        return True
    if day < ward.first[patient] or day > ward.last[patient] or not ward.allowed[patient, room]:
        return False
    most: int = 0
    for when in range(day, min(ward.days, day + ward.stay[patient])):
        most = max(most, plan.inside[room, when])
    return most < int(ward.beds[room]) + CROWD - 1


@compiled
def waits(ward: Ward, plan: Plan, patient: int) -> bool:
    """Until there is a plan that breaks no rule, who may stay out does."""
    return plan.score[2] == NOTHING and not ward.must[patient]


@compiled
def elsewhere(ward: Ward, plan: Plan, patient: int) -> tuple[int, int, int]:
    """Another place for a patient: another room, day or theatre, all of them, or none for who may stay out."""
    days = ward.last[patient] - ward.first[patient] + 1
    day, room, theatre = plan.day[patient], plan.room[patient], plan.theatre[patient]
    how = chance(plan.random)
    if day == OUT or how < 0.25:
        return ward.first[patient] + one_of(plan, days), one_of(plan, ward.beds.shape[0]), one_of(plan, ward.theatre_most.shape[0])
    if how < 0.3 and not ward.must[patient]:
        return OUT, room, theatre
    if how < 0.6:
        return day, one_of(plan, ward.beds.shape[0]), theatre
    if how < 0.85:
        return ward.first[patient] + one_of(plan, days), room, theatre
    return day, room, one_of(plan, ward.theatre_most.shape[0])


@compiled
def move(ward: Ward, plan: Plan, prices: Prices, limit: float) -> None:
    """A patient goes elsewhere, if that costs no more than the limit."""
    patient = one_of(plan, ward.first.shape[0])
    day, room, theatre = plan.day[patient], plan.room[patient], plan.theatre[patient]
    to_day, to_room, to_theatre = elsewhere(ward, plan, patient)
    if (day, room, theatre) == (to_day, to_room, to_theatre) or waits(ward, plan, patient) or not may(ward, plan, patient, to_day, to_room):
        return
    saved = take(ward, plan, prices, patient)
    cost = cost_of(ward, plan, prices, patient, to_day, to_room, to_theatre, limit + saved)
    if cost - saved <= limit:
        put(ward, plan, prices, patient, to_day, to_room, to_theatre)
        plan.score[0] += cost - saved
    else:
        put(ward, plan, prices, patient, day, room, theatre)


@compiled
def swap(ward: Ward, plan: Plan, prices: Prices, limit: float) -> None:
    """Two patients change places: all of them, or rooms alone, or days and theatres alone."""
    patients = ward.first.shape[0]
    one, other = one_of(plan, patients), one_of(plan, patients)
    day, room, theatre = plan.day[one], plan.room[one], plan.theatre[one]
    its_day, its_room, its_theatre = plan.day[other], plan.room[other], plan.theatre[other]
    if one == other or (day == OUT and its_day == OUT) or waits(ward, plan, one) or waits(ward, plan, other):
        return
    to_day, to_room, to_theatre = its_day, its_room, its_theatre
    from_day, from_room, from_theatre = day, room, theatre
    how = chance(plan.random)
    if min(day, its_day) != OUT and how < 0.6:
        if how < 0.3:
            to_day, to_theatre, from_day, from_theatre = day, theatre, its_day, its_theatre
        else:
            to_room, from_room = room, its_room
    if not (may(ward, plan, one, to_day, to_room) and may(ward, plan, other, from_day, from_room)):
        return
    saved = take(ward, plan, prices, one) + take(ward, plan, prices, other)
    cost = cost_of(ward, plan, prices, one, to_day, to_room, to_theatre, limit + saved)
    if cost - saved <= limit:
        put(ward, plan, prices, one, to_day, to_room, to_theatre)
        cost += cost_of(ward, plan, prices, other, from_day, from_room, from_theatre, limit + saved - cost)
        if cost - saved <= limit:
            put(ward, plan, prices, other, from_day, from_room, from_theatre)
            plan.score[0] += cost - saved
            return
        take(ward, plan, prices, one)
    put(ward, plan, prices, one, day, room, theatre)
    put(ward, plan, prices, other, its_day, its_room, its_theatre)


@compiled
def load_cost(ward: Ward, plan: Plan, nurse: int, shift: int, more: int) -> int:
    """What a nurse's load above the most would cost with so much more of it."""
    over: int = max(0, plan.load[nurse, shift] + more - ward.most[nurse, shift])
    return ward.weights.load * over


@compiled
def care_cost(ward: Ward, plan: Plan, room: int, shift: int, nurse: int, to: int) -> tuple[int, int]:
    """What it would cost the patients of a room to have another nurse in a shift, and how much work they are."""
    weights, day = ward.weights, shift // SHIFTS
    cost, work = 0, 0
    for place in range(plan.inside[room, day]):
        person = plan.who[room, day, place]
        since = shift - plan.day[person] * SHIFTS
        needs = ward.needs[person, since]
        work += ward.work[person, since]
        cost += weights.skill * (max(0, needs - ward.skill[to]) - max(0, needs - ward.skill[nurse]))
        cost += weights.nurses * ((plan.seen[person, to] == 0) - (plan.seen[person, nurse] == 1))
    return cost, work


@compiled
def serve(ward: Ward, plan: Plan, room: int, shift: int, to: int) -> None:
    """A nurse has a room in a shift from now on."""
    nurse, day = plan.nurse[room, shift], shift // SHIFTS
    plan.nurse[room, shift] = to
    for place in range(plan.inside[room, day]):
        person = plan.who[room, day, place]
        plan.seen[person, nurse] -= 1
        plan.seen[person, to] += 1
        work = ward.work[person, shift - plan.day[person] * SHIFTS]
        plan.load[nurse, shift] -= work
        plan.load[to, shift] += work


@compiled
def renurse(ward: Ward, plan: Plan, limit: float) -> None:
    """A room has another nurse in one shift."""
    room, shift = one_of(plan, ward.beds.shape[0]), one_of(plan, ward.most.shape[1])
    nurse, to = plan.nurse[room, shift], ward.on_duty[shift, one_of(plan, ward.on_duty_count[shift])]
    if nurse == to or plan.inside[room, shift // SHIFTS] == 0:
        return
    cost, work = care_cost(ward, plan, room, shift, nurse, to)
    cost += load_cost(ward, plan, nurse, shift, -work) - load_cost(ward, plan, nurse, shift, 0)
    cost += load_cost(ward, plan, to, shift, work) - load_cost(ward, plan, to, shift, 0)
    if cost <= limit:
        serve(ward, plan, room, shift, to)
        plan.score[0] += cost


@compiled
def swap_nurses(ward: Ward, plan: Plan, limit: float) -> None:
    """Two rooms change nurses in one shift."""
    shift = one_of(plan, ward.most.shape[1])
    one, other = one_of(plan, ward.beds.shape[0]), one_of(plan, ward.beds.shape[0])
    nurse, its = plan.nurse[one, shift], plan.nurse[other, shift]
    if nurse == its:
        return
    cost, work = care_cost(ward, plan, one, shift, nurse, its)
    more, its_work = care_cost(ward, plan, other, shift, its, nurse)
    cost += more + load_cost(ward, plan, nurse, shift, its_work - work) - load_cost(ward, plan, nurse, shift, 0)
    cost += load_cost(ward, plan, its, shift, work - its_work) - load_cost(ward, plan, its, shift, 0)
    if cost <= limit:
        serve(ward, plan, one, shift, its)
        serve(ward, plan, other, shift, nurse)
        plan.score[0] += cost


@compiled
def keep(ward: Ward, plan: Plan) -> None:
    """This plan is the best now."""
    plan.score[2] = plan.score[0]
    for patient in range(ward.first.shape[0]):
        plan.best[0, patient], plan.best[1, patient], plan.best[2, patient] = plan.day[patient], plan.room[patient], plan.theatre[patient]
    for room in range(plan.nurse.shape[0]):
        for shift in range(plan.nurse.shape[1]):
            plan.best_nurse[room, shift] = plan.nurse[room, shift]


@compiled
def anneal(ward: Ward, plan: Plan, prices: Prices, temper: Temper, steps: int, share: float) -> None:
    """So many steps at the temperature that belongs to the share of the whole that is done."""
    heat = temper.hot * (temper.cold / temper.hot) ** share
    for _ in range(steps):
        limit = -heat * np.log(1.0 - chance(plan.random))
        how = chance(plan.random)
        if how < temper.nurse:
            renurse(ward, plan, limit)
        elif how < temper.nurse + temper.nurses:
            swap_nurses(ward, plan, limit)
        elif how < temper.nurse + temper.nurses + temper.move:
            move(ward, plan, prices, limit)
        else:
            swap(ward, plan, prices, limit)
        if plan.score[0] < plan.score[2] and plan.score[1] == 0:
            keep(ward, plan)
