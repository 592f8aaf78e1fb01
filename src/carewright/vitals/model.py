"""What makes an observation sound: pure rules."""

from collections.abc import Iterator, Sequence
from math import isfinite
from uuid import UUID

from carewright.contracts.directory import Identifier
from carewright.contracts.vitals import Concept, Finding, InvalidObservation, Observation
from carewright.kernel.errors import BadInput

OBSERVATIONS_MAX = 1_000
"""Observations in one change. Larger loads come in batches."""
TEXT_MAX = 200
WORDS_MAX = 2_000


class Detail(Finding, frozen=True, kw_only=True, omit_defaults=True):
    """What is sealed of an observation."""

    categories: tuple[Concept, ...] = ()
    components: tuple[Finding, ...] = ()
    identifiers: tuple[Identifier, ...] = ()


def detail_of(observation: Observation) -> Detail:
    return Detail(**{name: getattr(observation, name) for name in Detail.__struct_fields__})


def ensure_sound(observations: Sequence[Observation]) -> None:
    """Raise `InvalidObservation` for the first that breaks a rule, or shares its id or an identifier with an earlier one."""
    if len(observations) > OBSERVATIONS_MAX:
        raise BadInput("Too many observations in one request. Send the rest in another.", count=len(observations), limit=OBSERVATIONS_MAX)
    ids: set[UUID] = set()
    carried: set[Identifier] = set()
    for each in observations:
        for field, rule in _broken_rules(each):
            raise invalid(each, field, rule)
        if each.id in ids:
            raise invalid(each, "id", "An observation may appear once in a change.")
        if not carried.isdisjoint(each.identifiers):
            raise taken_identifier(each)
        ids.add(each.id)
        carried.update(each.identifiers)


def ensure_stays(before: Observation, after: Observation) -> None:
    """Raise `InvalidObservation` for another patient."""
    if before.patient_id != after.patient_id:
        raise invalid(after, "patient_id", "An observation stays its patient's.")


def taken_identifier(observation: Observation) -> InvalidObservation:
    """The refusal of one whose identifier another carries."""
    return invalid(observation, "identifiers", "Another observation carries the identifier.")


def invalid(observation: Observation, field: str, rule: str) -> InvalidObservation:
    """A refusal that names the observation and the field, and nothing of what it says."""
    return InvalidObservation(rule, observation_id=str(observation.id), field=field)


def _broken_rules(observation: Observation) -> Iterator[tuple[str, str]]:
    """The field that breaks a rule, and the rule as a sentence."""
    start, end = observation.effective_from, observation.effective_until
    if end is not None and (start is None or start > end):
        yield "effective_until", "What was observed ends after it begins."
    for field, finding in (("about", observation), *(("components", each) for each in observation.components)):
        if not (finding.about.codings or finding.about.text):
            yield field, "It is said what was looked at."
        if sum(map(bool, (finding.quantity, finding.concept, finding.words, finding.absent))) > 1:
            yield field, "One thing was found, or there is a reason why nothing was."
        if finding.quantity and not isfinite(finding.quantity.value):
            yield field, "A quantity is a number."
    for texts, most in ((_short(observation), TEXT_MAX), (_words(observation), WORDS_MAX)):
        if any(len(text) > most for text in texts):
            yield "about", f"No text here has more than {most} letters."


def _words(observation: Observation) -> Iterator[str]:
    yield from (each.words for each in (observation, *observation.components))


def _short(observation: Observation) -> Iterator[str]:
    for each in observation.identifiers:
        yield from (each.system, each.value)
    for finding in (observation, *observation.components):
        for concept in (finding.about, finding.concept, finding.absent, *observation.categories):
            if concept:
                yield concept.text
                yield from (text for each in concept.codings for text in (each.system, each.code, each.display))
        if finding.quantity:
            yield from (finding.quantity.unit, finding.quantity.system, finding.quantity.code)
