"""The tutorial works as it is written: its blocks run one after another in a shell, against a tiny hospital that nobody changed before."""

import asyncio
import os
import re
import shutil
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.system import TINY, System, own_folder, started
from tests.tidy.source import ROOT

PAGE = ROOT / "docs" / "tutorials" / "first-booking.md"
BLOCK = re.compile(r"^```sh\n(.*?)^```", re.DOTALL | re.MULTILINE)


@pytest.fixture
async def untouched() -> AsyncIterator[System]:
    with own_folder() as folder:
        async with started(folder / "data", *TINY) as system:
            yield system


@pytest.mark.skipif(shutil.which("curl") is None, reason="the tutorial asks with curl")
async def test_the_first_booking_goes_as_the_tutorial_says(untouched: System, tmp_path: Path) -> None:
    script = "set -Eeuo pipefail\ntrap 'echo \"stopped at: $BASH_COMMAND\"' ERR\n" + "\n".join(BLOCK.findall(PAGE.read_text("utf-8")))
    here = Path(sys.executable).parent
    environ = {
        "PATH": f"{here}:{os.environ['PATH']}",
        "BASE": next(iter(untouched.addresses.values())),
        "CAREWRIGHT_DATA": str(untouched.data),
        "NO_PROXY": "*",
    }
    shell = await asyncio.create_subprocess_exec(
        "bash", "-c", script, cwd=tmp_path, env=environ, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    printed, _ = await shell.communicate()
    assert shell.returncode == 0, printed.decode()
    assert "refused: scheduling." in printed.decode()
