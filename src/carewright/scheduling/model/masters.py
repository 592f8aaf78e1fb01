"""Which step a service may take between an older system and us."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from carewright.contracts.masters import ChangeMaster, Master, MasterStage, MasterStep
from carewright.contracts.scheduling import WrongMasterStep
from carewright.kernel.errors import BadInput

LEADS_TO: Mapping[MasterStep, MasterStage] = {"begin": "mirrored", "switch": "switched", "back": "mirrored"}
COMES_FROM: Mapping[MasterStep, MasterStage | None] = {"begin": None, "switch": "mirrored", "back": "switched"}


def ensure_in_form(command: ChangeMaster) -> None:
    """Raise `BadInput` where a beginning names no system or no place to book, or another step names one."""
    named = bool(command.source and command.source.strip() and command.book_at and command.book_at.strip())
    if command.step == "begin" and not named:
        raise BadInput("Name the older system (`source`), and say where to book instead (`book_at`).", parameter="source")
    if command.step != "begin" and (command.source is not None or command.book_at is not None):
        raise BadInput("Only `begin` names the older system and where to book.", parameter="source")


def ensure_step(command: ChangeMaster, site_ids: Sequence[UUID], standing: Mapping[UUID, Master]) -> None:
    """Raise `WrongMasterStep` unless each site may take the step from where it stands; `standing` has those that were begun.

    To begin again with the same system only says anew where to book.
    """
    for site_id in site_ids:
        now = standing.get(site_id)
        again = command.step == "begin" and now is not None and (now.stage, now.source) == ("mirrored", command.source)
        if not again and (now.stage if now else None) != COMES_FROM[command.step]:
            raise WrongMasterStep(site_id=str(site_id), stage=now.stage if now else None, step=command.step)
