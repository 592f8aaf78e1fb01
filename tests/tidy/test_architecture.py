"""ARCHITECTURE.md names files and what is in them; both are there."""

import re

import pytest

from tests.tidy.source import PACKAGE, ROOT

TEXT = (ROOT / "ARCHITECTURE.md").read_text("utf-8")
NAMED = sorted(set(re.findall(r"`([a-z_/]+\.(?:py|sql)): ([A-Za-z_.]+)`", TEXT)))
FOLDERS = sorted(set(re.findall(r"`((?:tests|docs|src)/[A-Za-z_/.]+)`", TEXT)))
LINES_MAX = 300


@pytest.mark.parametrize(("place", "name"), NAMED, ids=str)
def test_what_it_names_is_there(place: str, name: str) -> None:
    found = [path.read_text("utf-8") for path in PACKAGE.rglob("*") if path.is_file() and f"/{path.as_posix()}".endswith(f"/{place}")]
    last = name.rpartition(".")[2]
    assert any(re.search(rf"^\s*(async def|def|class|-- name:) {last}\b|^{last}\b.*=", text, re.MULTILINE) for text in found)


@pytest.mark.parametrize("place", FOLDERS)
def test_the_folders_and_files_it_points_to_are_there(place: str) -> None:
    assert (ROOT / place).exists()


def test_it_is_short() -> None:
    assert len(NAMED) > 10
    assert TEXT.count("\n") < LINES_MAX
