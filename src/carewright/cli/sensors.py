"""`carewright sensor`: devices that see rooms, beds and waiting areas."""

from argparse import ArgumentParser, Namespace
from typing import TYPE_CHECKING

from carewright.cli.commands import id_in, organization_of, sections_of
from carewright.cli.words import add_command, add_group, with_tenant

if TYPE_CHECKING:
    from carewright.cli.words import Names

TUNING = {
    "hold_seconds": "what it says counts once it has said so for so long (0 to 600; default: 10)",
    "readings_least": "and in so many readings (1 to 20; default: 2)",
    "silent_seconds": "not heard for so long it is silent, and what it saw is shown no more (10 to 86400; default: 300)",
    "count_most": "more people than this are impossible where it is (1 to 5000; default: 300)",
}


def add(names: "Names") -> None:
    """The commands, with their arguments."""
    whats = add_group(
        names, "sensor", "Enrol sensors of rooms, beds and waiting areas, change and stop them.",
        "carewright sensor enrol --site ID --name 'Bed 12' --place ID",
    )  # fmt: skip
    enrol = add_command(
        whats, "enrol", sensor, "Enrol a sensor, and print the secret that its device shows, once.",
        "carewright sensor enrol --site ID --name 'Waiting area, ground floor' --queue ID --queue ID",
    )  # fmt: skip
    enrol.add_argument("--name", required=True, help="what people call it")
    enrol.add_argument("--place", metavar="ID", help="the room or the bed that it watches")
    enrol.add_argument(
        "--queue", action="append", default=[], metavar="ID", help="it watches where people wait for this queue (may be given again)"
    )  # fmt: skip
    enrol.add_argument("--transport", choices=("http", "mqtt"), default="http", help="how it is heard (default: http)")
    listed = add_command(whats, "list", sensor, "List a site's sensors, and what each sees.", "carewright sensor list --site ID")
    change = add_command(
        whats, "change", sensor, "Change what a sensor is called, or when what it says counts.",
        "carewright sensor change ID --site ID --hold-seconds 30",
    )  # fmt: skip
    change.add_argument("--name", help="what people call it")
    renew = add_command(whats, "secret", sensor, "Print another secret for one, as for a new device.", "carewright sensor secret ID")
    stop = add_command(whats, "stop", sensor, "Hear one no more.", "carewright sensor stop ID")
    for each in (change, renew, stop):
        each.add_argument("id", help="the sensor's id")
    for each in (enrol, listed, change):
        each.add_argument("--site", required=True, metavar="ID", help="where it is")
    for each in (enrol, change):
        _with_tuning(each)
    for each in (enrol, listed, change, renew, stop):
        with_tenant(each)


def _with_tuning(command: ArgumentParser) -> None:
    for name, what in TUNING.items():
        command.add_argument("--" + name.replace("_", "-"), type=int, metavar="N", help=what)


async def sensor(options: Namespace) -> int:
    """Enrol, list, change, secret or stop."""
    from carewright.roles import sensors  # noqa: PLC0415  (no server process needs it)

    place = sections_of(options), organization_of(options)
    if options.what == "list":
        for each in await sensors.listed(*place, id_in(options.site)):
            print(sensors.line_of(each))
    elif options.what == "stop":
        print(sensors.line_of(await sensors.stopped(*place, id_in(options.id))))
    elif options.what == "secret":
        print(sensors.told(await sensors.renewed(*place, id_in(options.id))))
    elif options.what == "change":
        print(sensors.line_of(await sensors.changed(*place, id_in(options.site), id_in(options.id), options.name, _tuning(options))))
    else:
        said = {
            "site_id": id_in(options.site), "name": options.name, "transport": options.transport,
            "place_id": id_in(options.place) if options.place else None, "queue_ids": [id_in(each) for each in options.queue],
            "tuning": _tuning(options),
        }  # fmt: skip
        made = await sensors.enrolled(*place, said)
        print(made.sensor.id)
        print(sensors.told(made))
    return 0


def _tuning(options: Namespace) -> dict[str, int]:
    """What was said of it."""
    return {name: getattr(options, name) for name in TUNING if getattr(options, name) is not None}
