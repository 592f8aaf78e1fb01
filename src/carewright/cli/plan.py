"""`carewright plan`: a better plan for a site's day."""

from argparse import Namespace
from datetime import date
from typing import TYPE_CHECKING

from carewright.cli.commands import id_in, organization_of, sections_of
from carewright.cli.words import add_command, with_tenant

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
    command.add_argument("--seconds", type=float, default=2.0, metavar="N", help="how long to look, 0 to 4 (default: 2)")
    command.add_argument("--accept", action="store_true", help="make the moves that are proposed, each as far as it can still be made")
    with_tenant(command)


async def plan(options: Namespace) -> int:
    """Print the proposal, and what became of it."""
    from carewright.roles import planning  # noqa: PLC0415  (no server process needs it)

    place = sections_of(options), organization_of(options), id_in(options.site)
    for line in await planning.planned(*place, options.day, options.seconds, accepts=options.accept):
        print(line)
    return 0
