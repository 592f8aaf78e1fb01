"""What a process of ours leaves when it dies: no image of its memory, and neither message nor locals of what broke."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

START = "from carewright.kernel.remains import leave_little\nleave_little()\n"
BROKEN = {
    "at its top": "def read(name): raise ValueError(name)\nread('Quokkaline')",
    "with a cause": "try: int('Quokkaline')\nexcept ValueError as fault: raise RuntimeError('Zyxwella') from fault",
    "in a thread": "import threading\nworker = threading.Thread(target=int, args=('Quokkaline',))\nworker.start(); worker.join()",
    "at its end": "class Kept:\n def __del__(self): int('Quokkaline')\nkept = Kept()\ndel kept",
    "in an event loop": "import asyncio\nasync def work(name): int(name)\nasyncio.run(work('Quokkaline'))",
    "with a note": "fault = ValueError('x')\nfault.add_note('Quokkaline')\nraise fault",
    "in a group": "raise ExceptionGroup('Quokkaline', [ValueError('Zyxwella')])",
}


def told(program: str, **environ: str) -> str:
    """Everything that a process prints whose program this is."""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False, env=os.environ | environ, timeout=60
    )  # fmt: skip
    return done.stdout + done.stderr


@pytest.mark.parametrize("broken", BROKEN)
def test_what_nobody_caught_is_told_by_kind_and_place(broken: str) -> None:
    assert "Quokkaline" in told(BROKEN[broken]), "Python itself would tell it"
    printed = told(START + BROKEN[broken])
    assert "carewright: broke off: " in printed
    assert "Error at " in printed or "ExceptionGroup at " in printed
    assert "Quokkaline" not in printed
    assert "Zyxwella" not in printed


def test_a_stack_that_is_shown_at_a_crash_names_functions_alone() -> None:
    dies = "import os\ndef work(name):\n here = name * 3\n os.abort()\nwork('Quokka' + 'line')"
    printed = told(START + dies, PYTHONFAULTHANDLER="1")
    assert "Fatal Python error: Aborted" in printed
    assert "in work" in printed
    assert "Quokkaline" not in printed


@pytest.mark.skipif(sys.platform != "linux", reason="what the kernel may write is asked of Linux")
def test_no_image_of_the_memory_is_written_by_it_or_its_children(tmp_path: Path) -> None:
    """As the kernel says it of the ended process. Where it writes no images anyway there is nothing to see."""
    allow = "import resource\nhard = resource.getrlimit(resource.RLIMIT_CORE)[1]\nresource.setrlimit(resource.RLIMIT_CORE, (hard, hard))\n"
    child = "import os, subprocess, sys\nsubprocess.run([sys.executable, '-c', 'import os; os.abort()'])\nos.abort()"
    if not wrote_an_image(allow + "import os\nos.abort()", tmp_path):
        pytest.skip("this machine writes no images of memory")
    for path in tmp_path.iterdir():
        path.unlink()
    assert not wrote_an_image(allow + START + child, tmp_path)
    assert list(tmp_path.iterdir()) == []
    dumpable = "import ctypes; print('dumpable', ctypes.CDLL(None).prctl(3, 0, 0, 0, 0))"  # PR_GET_DUMPABLE
    assert ("dumpable 1" in told(dumpable), "dumpable 0" in told(START + dumpable)) == (True, True)


def wrote_an_image(program: str, folder: Path) -> bool:
    with subprocess.Popen([sys.executable, "-c", program], cwd=folder, stderr=subprocess.DEVNULL) as process:
        _, status = os.waitpid(process.pid, 0)
        process.returncode = -os.WTERMSIG(status)
    return os.WCOREDUMP(status)
