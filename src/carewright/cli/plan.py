"""`carewright plan`: a better plan for a site's day."""

from argparse import ArgumentTypeError, Namespace
from datetime import date
from typing import TYPE_CHECKING

from carewright.cli.commands import id_in, organization_of, sections_of
from carewright.cli.words import add_command, with_tenant
from carewright.contracts.planner import SECONDS_MAX

if TYPE_CHECKING:
    from carewright.cli.words import Names


def add(names: "Names") -> None:
    """The command, with its arguments."""
    command = add_command(
        names, "plan", plan, "Look for a better plan for a site's day: who cannot be seen as booked, and where they can.",
        "carewright plan --site ID --day 2026-12-01 --seconds 4",
    )  # fmt: skip
    command.add_argument("--site", required=True, metavar="ID", help="which site")
    command.add_argument("--day", type=date.fromisoformat, help="which day, as 2026-12-01 (default: from now on, for 24 hours)")
    command.add_argument(
        "--seconds", type=_seconds, default=2.0, metavar="N", help="how long to look, to 120 (default: 2); Ctrl-C gives up"
    )
    command.add_argument(
        "--accept", nargs="?", const="all", metavar="ID,…",
        help="make the moves that are proposed, all or those of these appointments, each as far as it can still be made",
    )  # fmt: skip
    with_tenant(command)


def _seconds(text: str) -> float:
    seconds = float(text)
    if not 0 <= seconds <= SECONDS_MAX:
        raise ArgumentTypeError(f"0 to {SECONDS_MAX} seconds can be searched")
    return seconds


async def plan(options: Namespace) -> int:
    """Print how far the search is, the proposal, and what became of it."""
    from carewright.roles import planning  # noqa: PLC0415  (no server process needs it)

    place = sections_of(options), organization_of(options), id_in(options.site)
    named = options.accept not in (None, "all")
    accepts = tuple(map(id_in, options.accept.split(","))) if named else options.accept
    async for line in planning.planned(*place, options.day, options.seconds, accepts):
        print(line, flush=True)
    return 0
