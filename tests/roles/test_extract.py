"""`carewright extract` as a command: a new file for its owner alone."""

import stat

from tests.system import System, launch, log_of


async def test_the_extract_is_a_new_file_for_its_owner_alone(one_process: System) -> None:
    folder = one_process.data.parent
    arguments = ("extract", "--out", str(folder / "visits.ndjson"), "--data", str(one_process.data))
    command = await launch(folder / "first", *arguments)
    assert await command.wait() == 0, log_of(folder / "first").read_text()
    assert "carewright: done; " in log_of(folder / "first").read_text()
    assert stat.S_IMODE((folder / "visits.ndjson").stat().st_mode) == 0o600
    (folder / "visits.ndjson").write_text("somebody's")
    command = await launch(folder / "second", *arguments)
    assert await command.wait() == 1
    assert "Nothing is ever written over." in log_of(folder / "second").read_text()
    assert (folder / "visits.ndjson").read_text() == "somebody's"
