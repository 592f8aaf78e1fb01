"""`carewright import csv`, as somebody types it."""

from pathlib import Path

import pytest

from tests.at_work import said
from tests.system import System

HOWTO = Path(__file__).parents[2] / "docs/howto/import-from-csv.md"
ROWS = "PatNr;Nachname;Vorname;Geburtsdatum;Geschlecht;Telefon;VersNr\n1;Quokkaline;Anna;29.02.1980;w;2025550176;\n2;;;;;;\n"


@pytest.fixture
def files(tmp_path: Path) -> tuple[str, str]:
    """Rows, and the mapping that the how-to shows."""
    mapping = HOWTO.read_text("utf-8").partition("```toml\n")[2].partition("```")[0]
    rows, means = tmp_path / "patients.csv", tmp_path / "patients.toml"
    rows.write_text(ROWS, "utf-8")
    means.write_text("\n".join(line.removeprefix("   ") for line in mapping.splitlines()), "utf-8")
    return str(rows), str(means)


async def test_a_file_is_tried_then_imported_by_the_mapping_of_the_how_to(one_process: System, files: tuple[str, str]) -> None:
    rows, mapping = files
    tried = await said(one_process, "import", "csv", rows, "--mapping", mapping, "--dry-run")
    assert "0 created, 0 changed, 0 unchanged" in tried
    assert "patients.csv:3 migration.import.missing_value: A needed value is empty. (family)" in tried
    for outcome in ("1 created, 0 changed, 0 unchanged", "0 created, 0 changed, 1 unchanged"):
        assert outcome in await said(one_process, "import", "csv", rows, "--mapping", mapping)


async def test_what_is_missing_is_said_in_a_sentence(one_process: System, files: tuple[str, str]) -> None:
    rows, mapping = files
    assert "with --mapping FILE" in await said(one_process, "import", "csv", rows, code=1)
    assert "cannot be read" in await said(one_process, "import", "csv", rows, "--mapping", f"{mapping}x", code=1)
    assert "cannot be read as CSV" in await said(one_process, "import", "csv", f"{rows}x", "--mapping", mapping, code=1)
    assert "no TOML" in await said(one_process, "import", "csv", rows, "--mapping", rows, code=1)
