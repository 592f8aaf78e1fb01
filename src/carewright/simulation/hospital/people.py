"""Invented persons, many at once: names, gender and languages as columns of numbers into the lists of names."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from carewright.contracts.patients import Gender
from carewright.simulation.hospital.arrays import Ints, ints
from carewright.simulation.hospital.draw import Draw
from carewright.simulation.hospital.names import ORIGINS

GENDERS: tuple[Gender, ...] = ("female", "male", "other", "unknown")
FEMALE = 0


@dataclass(frozen=True)
class NamePool:
    """Lists of names of all origins joined to one, with where each origin's begin and how many they are."""

    words: tuple[str, ...]
    begin: Ints
    length: Ints

    def drawn(self, draw: Draw, origin: Ints) -> Ints:
        """One name for each origin."""
        return self.begin[origin] + draw.below(self.length[origin])


def _pool(lists: list[tuple[str, ...]]) -> NamePool:
    lengths = ints([len(each) for each in lists])
    return NamePool(tuple(word for each in lists for word in each), np.cumsum(lengths) - lengths, lengths)


FAMILY = _pool([origin.family for origin in ORIGINS])
# The female lists of all origins, then the male ones: a person's list is origin + gender's half.
GIVEN = _pool([origin.female for origin in ORIGINS] + [origin.male for origin in ORIGINS])
LANGUAGES: tuple[str, ...] = ("en", *sorted({origin.language for origin in ORIGINS} - {"en"}))


@dataclass(frozen=True)
class People:
    """Persons as columns; `second` is -1 where somebody has one given name. All numbers point into this module's lists."""

    family: Ints
    first: Ints
    second: Ints
    gender: Ints
    language: Ints
    home_language: Ints

    def __len__(self) -> int:
        return len(self.family)

    @cached_property
    def family_names(self) -> list[str]:
        return [FAMILY.words[at] for at in self.family.tolist()]

    @cached_property
    def given_names(self) -> list[tuple[str, ...]]:
        words = GIVEN.words
        pairs = zip(self.first.tolist(), self.second.tolist(), strict=True)
        return [(words[first],) if second < 0 else (words[first], words[second]) for first, second in pairs]


def invent(draw: Draw, count: int, gender: Ints, middle_names: float = 0.25) -> People:
    """`count` persons of the genders given (indexes into `GENDERS`)."""
    origin = draw.weighted([each.weight for each in ORIGINS], count)
    half = np.where(gender <= 1, gender, draw.below(np.full(count, 2)))
    names = origin + half * len(ORIGINS)
    first, second = GIVEN.drawn(draw, names), GIVEN.drawn(draw, names)
    second[(draw.units(count) >= middle_names) | (second == first)] = -1
    at_home = ints([LANGUAGES.index(each.language) for each in ORIGINS])[origin]
    speaks = np.array([each.speaks for each in ORIGINS])[origin]
    return People(
        family=FAMILY.drawn(draw, origin),
        first=first,
        second=second,
        gender=gender,
        language=np.where(draw.units(count) < speaks, at_home, 0),
        home_language=at_home,
    )
