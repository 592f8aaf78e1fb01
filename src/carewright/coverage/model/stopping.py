"""Which bookings a payer's no stops, by the rule of each site. What is not known stops nothing."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from carewright.contracts.coverage import (
    OFFICE_VISIT,
    Authorisation,
    Coverage,
    CoveragePolicy,
    Eligibility,
    StoppedVisits,
    VisitServiceType,
)
from carewright.coverage.model import authorising, rules

STOPS_MAX = 500
"""Told of one patient: what stops first is named first, and no more than this."""


def stops_of(
    policies: Sequence[CoveragePolicy], kinds: Sequence[VisitServiceType], coverages: Sequence[Coverage], answers: Iterable[Eligibility],
    words: Sequence[Authorisation], now: datetime,
) -> tuple[StoppedVisits, ...]:  # fmt: skip
    """What is not to be booked for a patient now. `answers` and `words` are by age, and each is of this patient."""
    refused = list(_refused(coverages, answers))
    denied = list(_denied(coverages, words, now))
    found: list[StoppedVisits] = []
    for policy in policies:
        if policy.rule == "require":
            found += [_of_answer(policy, kinds, one) for one in refused]
        if policy.of_authorisations == "require":
            found += [_of_denial(policy, one) for one in denied]
    return tuple(found[:STOPS_MAX])


def _refused(coverages: Sequence[Coverage], answers: Iterable[Eligibility]) -> Iterator[Eligibility]:
    """Days and services for which the coverage that pays first does not pay, by the last answer about it as it is recorded now."""
    last = {(one.coverage_id, one.service_type, one.serviced_on): one for one in answers}
    for one in last.values():
        paying = rules.paying_on(coverages, one.serviced_on)
        asked_as_it_is = paying is not None and (paying.id, paying.version) == (one.coverage_id, one.coverage_version)
        if one.standing == "inactive" and asked_as_it_is:
            yield one


def _denied(coverages: Sequence[Coverage], words: Sequence[Authorisation], now: datetime) -> Iterator[Authorisation]:
    for coverage_id, visit_type_id in authorising.kinds_spoken_of(words):
        paying = rules.paying_on(coverages, now.date())
        if paying is None or paying.id != coverage_id:
            continue
        denial = authorising.standing_denial(words, paying, visit_type_id, now)
        if denial is not None:
            yield denial


def _of_answer(policy: CoveragePolicy, kinds: Sequence[VisitServiceType], one: Eligibility) -> StoppedVisits:
    """Visits of that day there, of the kinds about which the payer was asked: as an office's, where nothing is set of a kind."""
    is_default = one.service_type == OFFICE_VISIT
    ids = tuple(each.visit_type_id for each in kinds if (each.service_type == one.service_type) != is_default)
    zone = ZoneInfo(policy.time_zone)
    return StoppedVisits(
        site_id=policy.site_id, why="not-covered", visit_type_ids=ids, all_but=is_default,
        starts_from=datetime.combine(one.serviced_on, time(), zone),
        starts_before=datetime.combine(one.serviced_on + timedelta(days=1), time(), zone),
        counts_until=one.counts_until or one.asked_at,
    )  # fmt: skip


def _of_denial(policy: CoveragePolicy, one: Authorisation) -> StoppedVisits:
    ids = (one.visit_type_id,) if one.visit_type_id is not None else ()
    return StoppedVisits(
        site_id=policy.site_id, why="not-authorised", visit_type_ids=ids, starts_from=one.asked_at,
        counts_until=authorising.denied_until(one),
    )  # fmt: skip
