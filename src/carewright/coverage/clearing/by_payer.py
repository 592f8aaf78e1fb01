"""Several clearing-houses at once: the file that names them, and who asks which payer."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from carewright.contracts.coverage import PayerId
from carewright.coverage.clearing.drop import Drop
from carewright.coverage.clearing.port import House, Reviewer
from carewright.coverage.model.question import Answer, Question
from carewright.coverage.settings import CoverageSettings
from carewright.kernel.settings import StartFailed


class Reach(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Payers that are asked in another way than the settings say. What it leaves out is as the settings have it."""

    payers: Annotated[tuple[PayerId, ...], Meta(min_length=1, max_length=10_000)]
    clearing_house: Literal["core", "drop"] | UnsetType = UNSET
    url: str | UnsetType = UNSET
    sender: str | UnsetType = UNSET
    receiver: str | UnsetType = UNSET
    user: str | UnsetType = UNSET
    password_file: str | UnsetType = UNSET
    usage: Literal["T", "P"] | UnsetType = UNSET
    answer_seconds: float | UnsetType = UNSET
    drop_folder: str | UnsetType = UNSET
    authorisations: Literal["none", "x12", "pas"] | UnsetType = UNSET
    pas_url: str | UnsetType = UNSET
    pas_token_file: str | UnsetType = UNSET

    def over(self, settings: CoverageSettings) -> CoverageSettings:
        """The settings with which these payers are asked."""
        said = {name: getattr(self, name) for name in self.__struct_fields__ if name != "payers"}
        return replace(settings, **{name: value for name, value in said.items() if value is not UNSET})


class Reaches(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The file: a table `[[reach]]` for each."""

    reach: tuple[Reach, ...] = ()


class ByPayer:
    """Asks each payer through the house that reaches them, and all others through `otherwise`."""

    def __init__(self, otherwise: House, houses: Mapping[str, House]) -> None:
        self._otherwise, self._houses = otherwise, houses

    async def ask(self, question: Question) -> Answer | None:
        return await self._houses.get(question.payer_id, self._otherwise).clearing_house.ask(question)

    def reviewer_of(self, payer_id: str) -> Reviewer | None:
        """Whom to ask for the agreement of a payer; None where nobody does."""
        return self._houses.get(payer_id, self._otherwise).reviewer

    @property
    def drops(self) -> tuple[Drop, ...]:
        """The folders in which answers come later."""
        houses = (each.clearing_house for each in dict.fromkeys((self._otherwise, *self._houses.values())))
        return tuple(each for each in houses if isinstance(each, Drop))


def houses_by_payer(settings: CoverageSettings, house_of: Callable[[CoverageSettings], House]) -> ByPayer:
    """All that are set, each made by `house_of`. Raises `StartFailed` for a file that is none, or that names a payer twice."""
    houses: dict[str, House] = {}
    for reach in _read(settings.reaches_file):
        house = house_of(reach.over(settings))
        for payer in _new(reach.payers, houses):
            houses[payer] = house
    return ByPayer(house_of(settings), houses)


def _new(payers: Iterable[str], known: Mapping[str, House]) -> Iterator[str]:
    for payer in payers:
        if payer in known:
            raise StartFailed(f"CAREWRIGHT_COVERAGE_REACHES_FILE names payer {payer} twice.")
        yield payer


def _read(file: str) -> tuple[Reach, ...]:
    try:
        return msgspec.toml.decode(Path(file).read_bytes(), type=Reaches).reach if file else ()
    except (OSError, msgspec.DecodeError) as fault:
        raise StartFailed("CAREWRIGHT_COVERAGE_REACHES_FILE names no file of clearing-houses that can be read.") from fault
