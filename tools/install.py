"""Make .venv and install the packages of one lock file into it, every one checked against its hash.

Example: python3 tools/install.py requirements.lock

Runs on the standard library alone, because it runs before anything is installed.
"""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PYTHON = ROOT / ".venv" / "bin" / "python"
LINES_SHOWN_ON_FAILURE = 15


def main(lock: Path) -> int:
    try:
        make_environment()
        install_packages(lock)
        install_carewright()
    except subprocess.CalledProcessError as failure:
        return explain(failure)
    return 0


def make_environment() -> None:
    """Make .venv, or make it anew where its Python no longer runs."""
    if PYTHON.exists() and subprocess.run([PYTHON, "-m", "pip", "--version"], capture_output=True, check=False).returncode == 0:
        return
    say(f"Making .venv with Python {sys.version.split()[0]}")
    run(sys.executable, "-m", "venv", "--clear", ROOT / ".venv")


def install_packages(lock: Path) -> None:
    """Install exactly what `lock` names, and show how far it is."""
    total = sum("==" in line for line in lock.read_text().splitlines())
    say(f"Installing about {total} packages from {lock.name}; the first time this takes a minute or two")
    output: list[str] = []
    pip = (PYTHON, "-m", "pip", "install", "--disable-pip-version-check", "--require-hashes", "--only-binary=:all:", "-r", lock)
    with subprocess.Popen(pip, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=ROOT) as process:
        show_progress(names_of_packages(process, output), total)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, "pip", "".join(output))


def names_of_packages(process: subprocess.Popen[str], output: list[str]) -> Iterator[str]:
    """Follow pip's output and yield the name of each package that it takes up."""
    assert process.stdout is not None
    for line in process.stdout:
        output.append(line)
        if line.startswith(("Collecting ", "Requirement already satisfied: ")):
            yield line.split(": ")[-1].removeprefix("Collecting ").split()[0].replace("==", " ")


def show_progress(names: Iterator[str], total: int) -> None:
    """One moving line on a terminal, a line for every tenth package elsewhere."""
    moving = sys.stdout.isatty()
    for count, name in enumerate(names, start=1):
        line = f"  {count:3} of about {total}  {name}"
        if moving:
            sys.stdout.write(f"\r\033[K{line}")
            sys.stdout.flush()
        elif count % 10 == 0:
            say(line)
    if moving:
        sys.stdout.write("\r\033[K")


def install_carewright() -> None:
    """Point .venv at this folder's source, so that a change counts at once."""
    run(PYTHON, "-m", "pip", "install", "--disable-pip-version-check", "--no-deps", "--no-build-isolation", "-e", ROOT)
    say("Installed")


def run(*command: str | Path) -> None:
    subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=ROOT)


def explain(failure: subprocess.CalledProcessError) -> int:
    """Show the end of what the failed command said, and what to look at."""
    output: str = failure.output or ""
    sys.stderr.write("\n".join(output.splitlines()[-LINES_SHOWN_ON_FAILURE:]))
    sys.stderr.write("\nThe installation stopped. Is the package index reachable? The same command resumes it.\n")
    return 1


def say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(ROOT / sys.argv[1]))
