"""`carewright station`: screens on walls, kiosks at entrances."""

from argparse import Namespace
from typing import TYPE_CHECKING, get_args

from carewright.cli.commands import id_in, organization_of, sections_of
from carewright.cli.words import add_command, add_group, with_tenant
from carewright.contracts.stations import EnrolStation, StationKind

if TYPE_CHECKING:
    from carewright.cli.words import Names


def add(names: "Names") -> None:
    """The commands, with their arguments."""
    whats = add_group(
        names, "station", "Enrol screens and kiosks, and retire them.",
        "carewright station enrol --kind screen --site ID --name 'Waiting room, ground floor'",
    )  # fmt: skip
    enrol = add_command(
        whats, "enrol", station, "Enrol a screen or a kiosk and print the code to type at it.",
        "carewright station enrol --kind screen --site ID --name Entrance --language en --language es",
    )  # fmt: skip
    enrol.add_argument("--kind", choices=get_args(StationKind), required=True, help="what it is")
    enrol.add_argument("--site", required=True, metavar="ID", help="where it is")
    enrol.add_argument("--name", required=True, help="what people call it")
    enrol.add_argument(
        "--language", action="append", metavar="TAG", help="what it speaks (may be given more than once; default: en)"
    )  # fmt: skip
    enrol.add_argument(
        "--queue", action="append", default=[], metavar="ID", help="only this queue of the site (may be given more than once)"
    )  # fmt: skip
    listed = add_command(whats, "list", station, "List screens and kiosks, and when each was seen last.", "carewright station list")
    code = add_command(whats, "code", station, "Print another code for one, as for a new device.", "carewright station code ID")
    retire = add_command(whats, "retire", station, "Sign one out for good.", "carewright station retire ID")
    for each in (code, retire):
        each.add_argument("id", help="the station's id")
    for each in (enrol, listed, code, retire):
        with_tenant(each)


async def station(options: Namespace) -> int:
    """Enrol, list, code or retire."""
    from carewright.roles import stations  # noqa: PLC0415  (no server process needs it)

    place = sections_of(options), organization_of(options)
    if options.what == "list":
        for each in await stations.listed(*place):
            print(stations.line_of(each))
    elif options.what == "retire":
        print(stations.line_of(await stations.retired(*place, id_in(options.id))))
    elif options.what == "code":
        print(stations.code_of(await stations.renewed(*place, id_in(options.id))))
    else:
        command = EnrolStation(
            kind=options.kind, name=options.name, site_id=id_in(options.site), languages=tuple(options.language or ("en",)),
            queue_ids=tuple(id_in(each) for each in options.queue),
        )  # fmt: skip
        enrolled = await stations.enrolled(*place, command)
        print(enrolled.station.id)
        print(stations.code_of(enrolled))
    return 0
