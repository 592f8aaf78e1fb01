"""What commands are made of: a word, what it does, an example, and where it does it."""

import argparse
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    Names = argparse._SubParsersAction[argparse.ArgumentParser]  # noqa: SLF001  # argparse has no public name for it
Command = Callable[[argparse.Namespace], Awaitable[int]]


def add_command(names: "Names", name: str, run: Command, what: str, example: str) -> argparse.ArgumentParser:
    """A command that is done by `run`."""
    command = names.add_parser(name, help=what, description=what, epilog=f"example: {example}")
    command.set_defaults(run=run)
    return command


def add_group(names: "Names", name: str, what: str, example: str, description: str = "") -> "Names":
    """Commands behind a word of their own."""
    command = names.add_parser(name, help=what, description=description or what, epilog=f"example: {example}")
    return command.add_subparsers(title="commands", required=True, metavar="WHAT", dest="what")


def with_place(command: argparse.ArgumentParser) -> None:
    """Where the data is, and the settings."""
    command.add_argument(
        "--data", type=Path, default=Path(os.environ.get("CAREWRIGHT_DATA", ".data")), help="data directory (default: .data)"
    )
    command.add_argument("--database-url", help="use this PostgreSQL instead of the embedded one")
    command.add_argument("--settings", type=Path, help="a TOML file with settings")


def with_tenant(command: argparse.ArgumentParser) -> None:
    """The same, and for whom."""
    with_place(command)
    command.add_argument("--organization", help="tenant (default: the one this data directory belongs to)")
