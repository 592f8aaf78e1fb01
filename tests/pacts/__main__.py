"""Write the contracts anew, or hold somebody's system to one of them.

Examples:
    .venv/bin/python -m tests.pacts --write
    .venv/bin/python -m tests.pacts --verify carewright-ehr-oracle --at https://ehr.example.org --states states.json --day 2027-03-02
"""

import argparse
import asyncio
import json
import sys
import tempfile
from datetime import date
from pathlib import Path
from typing import Any

from tests.pacts.contract import FOLDER
from tests.pacts.ehr import START, WINDOW
from tests.pacts.every import EVERY
from tests.pacts.verifying import verified


async def write() -> None:
    for contract in EVERY:
        (FOLDER / f"{contract.name}.json").write_text(await contract.written(), "utf-8")


async def verify(name: str, address: str, known: dict[str, dict[str, Any]], day: date) -> None:
    """`known` has the values of each state. The days that the contract asks for become `day` and those after it."""

    async def state(name: str, _: dict[str, Any]) -> dict[str, Any]:
        return known[name]

    text = (FOLDER / f"{name}.json").read_text("utf-8")
    for old, new in ((START.date(), day), ((START + WINDOW).date(), day + WINDOW)):
        text = text.replace(f"{old}T", f"{new}T")
    with tempfile.TemporaryDirectory() as place:
        file = Path(place) / f"{name}.json"
        file.write_text(text, "utf-8")
        await verified(json.loads(text)["provider"]["name"], address, file, state)


def main() -> str | None:
    """What does not hold, in Pact's words."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.pacts", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    wanted = parser.add_mutually_exclusive_group(required=True)
    wanted.add_argument("--write", action="store_true", help="write every contract, as the clients are now")
    wanted.add_argument("--verify", choices=[each.name for each in EVERY], help="hold a system to this contract")
    parser.add_argument("--at", help="where the system is: scheme, host and port")
    parser.add_argument("--states", type=Path, help="what it knows in each state, a JSON object")
    parser.add_argument(
        "--day", type=date.fromisoformat, default=START.date(), help="the first day that is asked for (default: the contract's)"
    )
    options = parser.parse_args()
    if options.write:
        asyncio.run(write())
        return None
    if options.at is None or options.states is None:
        parser.error("--verify needs --at and --states")
    try:
        asyncio.run(verify(options.verify, options.at, json.loads(options.states.read_text("utf-8")), options.day))
    except AssertionError as failure:
        return str(failure)
    return None


if __name__ == "__main__":
    sys.exit(main())
