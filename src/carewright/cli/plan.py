"""`carewright plan`: a better plan for a site's day."""

from argparse import ArgumentTypeError, Namespace
from datetime import date, time
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
    supposing = command.add_argument_group(
        "what if", "suppose something of that day, and see: nothing is changed, and nothing can be accepted"
    )
    supposing.add_argument(
        "--without", action="append", default=[], metavar="ACTOR", help="somebody, a room or a device is not there; again for more"
    )
    supposing.add_argument(
        "--from", dest="since", type=time.fromisoformat, metavar="HH:MM", help="from then on (default: from the beginning)"
    )
    supposing.add_argument("--until", type=time.fromisoformat, metavar="HH:MM", help="until then (default: to the end)")
    supposing.add_argument("--emergencies", type=int, default=0, metavar="N", help="so many come, spread over the time that is planned")
    supposing.add_argument("--type", metavar="ID", help="as which kind of visit")
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
    kind = id_in(options.type) if options.type else None
    suppose = planning.Suppose(tuple(map(id_in, options.without)), options.since, options.until, options.emergencies, kind)
    async for line in planning.planned(*place, options.day, options.seconds, accepts, suppose):
        print(line, flush=True)
    return 0
