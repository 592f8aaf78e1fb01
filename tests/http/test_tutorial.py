"""The tutorial works as it is written: its blocks run one after another in a shell, against a tiny hospital."""

import asyncio
import os
import re
import shutil
import sys
from pathlib import Path

import pytest

from tests.system import System
from tests.tidy.source import ROOT

PAGE = ROOT / "docs" / "tutorials" / "first-booking.md"
BLOCK = re.compile(r"^```sh\n(.*?)^```", re.DOTALL | re.MULTILINE)


@pytest.mark.skipif(shutil.which("curl") is None, reason="the tutorial asks with curl")
async def test_the_first_booking_goes_as_the_tutorial_says(one_process: System, tmp_path: Path) -> None:
    script = "set -Eeuo pipefail\ntrap 'echo \"stopped at: $BASH_COMMAND\"' ERR\n" + "\n".join(BLOCK.findall(PAGE.read_text("utf-8")))
    here = Path(sys.executable).parent
    environ = {
        "PATH": f"{here}:{os.environ['PATH']}",
        "BASE": next(iter(one_process.addresses.values())),
        "CAREWRIGHT_DATA": str(one_process.data),
        "NO_PROXY": "*",
    }
    shell = await asyncio.create_subprocess_exec(
        "bash", "-c", script, cwd=tmp_path, env=environ, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    printed, _ = await shell.communicate()
    assert shell.returncode == 0, printed.decode()
    assert "refused: scheduling." in printed.decode()
