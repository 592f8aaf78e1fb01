"""Settings: frozen dataclasses with defaults, limits and units, filled from a TOML file and the environment.

`CAREWRIGHT_<SECTION>_<FIELD>` sets `field` of `section`; a file has one table per section. An unknown name stops the start.
"""

import difflib
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

import msgspec

from carewright.kernel.errors import Refusal

PREFIX = "CAREWRIGHT_"
COMMAND_LINE = frozenset({"CAREWRIGHT_DATA", "CAREWRIGHT_CHROMIUM"})
"""Read by commands and tests: where the data directory and a browser are."""


class StartFailed(Refusal):
    """The system cannot start as asked; `detail` is one line that says what to do."""

    code = "kernel.start_failed"
    status = 500
    issue = "processing"
    title = "Carewright cannot start like this."


def load(sections: Mapping[str, type[Any]], environ: Mapping[str, str], file: Path | None = None) -> dict[str, Any]:
    """One filled dataclass per section. Raises `StartFailed` for an unknown name or a value that does not fit."""
    given: dict[str, dict[str, Any]] = {section: {} for section in sections}
    if file is not None:
        _merge(given, sections, _read(file), str(file))
    _merge(given, sections, _from_environment(sections, environ), "the environment")
    return {section: _build(section, kind, given[section]) for section, kind in sections.items()}


def _read(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text("utf-8"))
    except OSError as fault:
        raise StartFailed(f"The settings file {file} cannot be read: {fault.strerror}.") from fault
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as fault:
        raise StartFailed(f"The settings file {file} is not valid TOML: {fault}.") from fault


def _from_environment(sections: Mapping[str, type[Any]], environ: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for name, value in environ.items():
        if name.startswith(PREFIX) and name not in COMMAND_LINE:
            section, field = _split(name, sections)
            found.setdefault(section, {})[field] = value
    return found


def _split(name: str, sections: Mapping[str, type[Any]]) -> tuple[str, str]:
    rest = name.removeprefix(PREFIX).lower()
    for section in sorted(sections, key=len, reverse=True):
        if rest.startswith(f"{section}_"):
            return section, rest[len(section) + 1 :]
    known = [f"{PREFIX}{s}_{field.name}".upper() for s, kind in sections.items() for field in fields(kind)]
    raise StartFailed(_unknown(name, known))


def _merge(given: dict[str, dict[str, Any]], sections: Mapping[str, type[Any]], found: Mapping[str, Any], source: str) -> None:
    for section, values in found.items():
        if section not in sections or not isinstance(values, dict):
            raise StartFailed(_unknown(section, list(sections)) + f" (in {source})")
        known = [field.name for field in fields(sections[section])]
        for name, value in values.items():
            if name not in known:
                raise StartFailed(_unknown(f"{section}.{name}", [f"{section}.{field}" for field in known]) + f" (in {source})")
            given[section][name] = value


def _build(section: str, kind: type[Any], values: dict[str, Any]) -> Any:
    try:
        return msgspec.convert(values, kind, strict=False)
    except msgspec.ValidationError as fault:
        raise StartFailed(f"A setting of {section} does not fit: {fault}.") from fault


def _unknown(name: str, known: Sequence[str]) -> str:
    close = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    return f"Unknown setting {name}." + (f" Did you mean {close[0]}?" if close else f" Known: {', '.join(sorted(known)[:8])} …")
