"""The supervisor, with real processes."""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from carewright.roles import supervisor as subject
from carewright.roles.child import Child, StartFailed
from carewright.roles.supervisor import Program, Running, Supervisor, start_command

PYTHON = (sys.executable, "-I", "-S", "-c")
SLEEPER = "import time; open({ready!r}, 'w').close(); time.sleep(60)"
STUBBORN = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); open({ready!r}, 'w').close(); time.sleep(60)"
LEAVER = "import sys; sys.exit(3)"


class Told(list[str]):
    def __call__(self, line: str) -> None:
        self.append(line)


class Recorded:
    """Programs that write down when they start and stop."""

    def __init__(self) -> None:
        self.story: list[str] = []
        self.exits: dict[str, asyncio.Future[int]] = {}

    def program(self, name: str, *after: str, fail: int = 0, transient: bool = True) -> Program:
        failures = iter(range(fail))

        async def start() -> Running:
            await asyncio.sleep(0)
            if next(failures, None) is not None:
                self.story.append(f"{name} fails")
                raise StartFailed("test.failed", f"{name} did not start.", transient=transient)
            self.story.append(f"{name} starts")
            self.exits[name] = asyncio.get_running_loop().create_future()
            return RecordedRun(self, name)

        return Program(name=name, start=start, after=after)

    def step(self, name: str, *after: str) -> Program:
        async def start() -> None:
            await asyncio.sleep(0)
            self.story.append(f"{name} done")

        return Program(name=name, start=start, after=after)

    def end(self, name: str, code: int) -> None:
        self.exits[name].set_result(code)


class RecordedRun:
    pid = 4711

    def __init__(self, recorded: Recorded, name: str) -> None:
        self.recorded, self.name = recorded, name

    async def wait(self) -> int:
        return await asyncio.shield(self.recorded.exits[self.name])

    async def stop(self, hurry: asyncio.Event | None = None) -> int:
        await asyncio.sleep(0.01)
        self.recorded.story.append(f"{self.name} stops{' in haste' if hurry and hurry.is_set() else ''}")
        return 0


async def until(holds: Callable[[], bool], seconds: float = 10.0) -> None:
    async with asyncio.timeout(seconds):
        while not holds():  # noqa: ASYNC110  (other processes set no asyncio.Event)
            await asyncio.sleep(0.01)


def is_alive(pid: int) -> bool:
    """A zombie is not: in a container nobody may ever collect it."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0] != "Z"
    return True


def command(script: str, ready: Path, *, grace_seconds: float = 10.0, ready_seconds_max: float = 10.0) -> Callable[[], Awaitable[Child]]:
    there, forget = ready.exists, ready.unlink

    async def is_ready() -> bool:
        return there()

    async def start() -> Child:
        forget(missing_ok=True)
        return await start_command(
            "sleeper", (*PYTHON, script.format(ready=str(ready))), ready=is_ready, grace_seconds=grace_seconds,
            ready_seconds_max=ready_seconds_max,
        )  # fmt: skip

    return start


@pytest.fixture
def recorded() -> Recorded:
    return Recorded()


@pytest.fixture
def told() -> Told:
    return Told()


async def test_programs_start_after_what_they_need_and_stop_before_it(recorded: Recorded, told: Told) -> None:
    supervisor = Supervisor(
        [
            recorded.program("database"),
            recorded.program("cache"),
            recorded.step("migrations", "database"),
            recorded.program("server", "migrations", "cache"),
        ],
        told,
    )
    await supervisor.start()
    assert set(recorded.story[:2]) == {"database starts", "cache starts"}
    assert recorded.story[2:] == ["migrations done", "server starts"]
    del recorded.story[:]
    await supervisor.stop()
    assert recorded.story[0] == "server stops"
    assert set(recorded.story[1:]) == {"database stops", "cache stops"}
    assert told == []


def test_a_circle_of_needs_is_refused(recorded: Recorded) -> None:
    with pytest.raises(ValueError, match="'a'"):
        Supervisor([recorded.program("a", "b"), recorded.program("b", "a")])


async def test_a_first_start_that_fails_in_passing_is_tried_again(recorded: Recorded, told: Told) -> None:
    supervisor = Supervisor([recorded.program("server", fail=2)], told)
    await supervisor.start()
    assert recorded.story == ["server fails", "server fails", "server starts"]
    assert told == ["server did not start. Trying again."]
    await supervisor.stop()


async def test_a_first_start_that_keeps_failing_stops_everything_with_one_line(recorded: Recorded, told: Told) -> None:
    supervisor = Supervisor([recorded.program("database"), recorded.program("server", "database", fail=99)], told)
    assert await supervisor.run() == 1
    assert recorded.story == ["database starts", *["server fails"] * subject.START_TRIES, "database stops"]
    assert told[-1] == "server did not start."


async def test_a_start_that_cannot_succeed_is_not_tried_again(recorded: Recorded, told: Told) -> None:
    supervisor = Supervisor([recorded.program("server", fail=99, transient=False)], told)
    assert await supervisor.run() == 1
    assert recorded.story == ["server fails"]
    assert told == ["server did not start."]


async def test_a_program_that_dies_is_started_again_and_those_that_need_it_go_on(recorded: Recorded, told: Told) -> None:
    supervisor = Supervisor([recorded.program("database"), recorded.program("server", "database")], told)
    await supervisor.start()
    recorded.end("database", -signal.SIGKILL)
    await until(lambda: recorded.story.count("database starts") == 2)
    await asyncio.sleep(0)
    assert recorded.story.count("server starts") == 1
    assert told == ["database ended (SIGKILL); starting it again", "database is running again"]
    await supervisor.stop()


async def test_a_program_that_keeps_failing_is_tried_for_ever_but_told_of_once(
    recorded: Recorded, told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subject, "PAUSE_SECONDS_MIN", 0.001)
    monkeypatch.setattr(subject, "PAUSE_SECONDS_MAX", 0.01)
    first = True

    async def start() -> Running:
        nonlocal first
        if first:
            first = False
            running = await recorded.program("server").start()
            assert running is not None
            return running
        recorded.story.append("server fails")
        raise StartFailed("test.failed", "server did not start.")

    supervisor = Supervisor([Program(name="server", start=start)], told)
    await supervisor.start()
    recorded.end("server", 1)
    await until(lambda: recorded.story.count("server fails") > 5)
    await supervisor.stop()
    assert told == ["server ended (exit status 1); starting it again", "server did not start."]


def test_pauses_grow_to_their_limit() -> None:
    pauses = subject._pauses()
    assert [next(pauses) for _ in range(8)] == [0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0]


async def test_a_fault_of_our_own_while_starting_again_ends_the_run(recorded: Recorded, told: Told) -> None:
    starts = 0

    async def start() -> Running | None:
        nonlocal starts
        starts += 1
        if starts > 1:
            raise RuntimeError("a fault of ours")
        return await recorded.program("server").start()

    supervisor = Supervisor([Program(name="server", start=start)], told)
    with pytest.raises(RuntimeError, match="a fault of ours"):
        await supervisor.run(when_ready=lambda: recorded.end("server", 1))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
async def test_a_signal_stops_everything(recorded: Recorded, told: Told, number: signal.Signals) -> None:
    before = signal.signal(number, signal.SIG_DFL)  # under nohup a hang-up is ignored, by the tests as well
    try:
        supervisor = Supervisor([recorded.program("server")], told)
        assert await supervisor.run(when_ready=lambda: os.kill(os.getpid(), number)) == 0
    finally:
        signal.signal(number, before)
    assert recorded.story == ["server starts", "server stops"]


async def test_a_signal_during_the_start_ends_what_has_started(recorded: Recorded, told: Told, tmp_path: Path) -> None:
    never = command(SLEEPER, tmp_path / "ready")
    begun: list[int] = []

    async def start() -> Running | None:
        child = await never()
        begun.append(child.pid)
        supervisor.ask_to_stop()
        await asyncio.sleep(60)
        return child

    supervisor = Supervisor([recorded.program("database"), Program(name="server", start=start, after=("database",))], told)
    ready: list[bool] = []
    assert await supervisor.run(when_ready=lambda: ready.append(True)) == 0
    assert recorded.story == ["database starts", "database stops"]
    assert not ready
    os.kill(begun[0], signal.SIGKILL)  # it had been handed over: ending it was the caller's part


async def test_a_command_is_ready_when_its_probe_says_so(tmp_path: Path) -> None:
    child = await command(SLEEPER, tmp_path / "ready")()
    assert (tmp_path / "ready").exists()
    assert is_alive(child.pid)
    assert await child.stop() == -signal.SIGTERM
    assert not is_alive(child.pid)


async def test_a_command_that_ends_early_is_told_with_its_exit_status(tmp_path: Path) -> None:
    with pytest.raises(StartFailed, match=r"ended before it was ready \(exit status 3\)") as failure:
        await command(LEAVER, tmp_path / "ready")()
    assert failure.value.transient


async def test_a_command_that_never_gets_ready_is_ended(tmp_path: Path) -> None:
    silent = "import time, os; open({ready!r} + '.pid', 'w').write(str(os.getpid())); time.sleep(60)"
    with pytest.raises(StartFailed, match="not ready after") as failure:
        await command(silent, tmp_path / "ready", ready_seconds_max=0.5)()
    assert failure.value.code == "supervisor.start_slow"
    assert not is_alive(int((tmp_path / "ready.pid").read_text()))


async def test_a_command_that_does_not_exist_is_told_at_once() -> None:
    async def ready() -> bool:
        return True

    with pytest.raises(StartFailed, match="No such file") as failure:
        await start_command("server", ["/nowhere/at/all"], ready=ready)
    assert not failure.value.transient


async def test_a_cancelled_start_leaves_no_process(tmp_path: Path) -> None:
    silent = "import time, os; open({ready!r} + '.pid', 'w').write(str(os.getpid())); time.sleep(60)"
    task = asyncio.ensure_future(command(silent, tmp_path / "ready")())
    note = tmp_path / "ready.pid"
    await until(lambda: note.exists() and note.read_text() != "")
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not is_alive(int(note.read_text()))


async def test_a_command_sees_the_settings_given_to_it(tmp_path: Path) -> None:
    script = "import os; open(os.environ['NOTE'], 'w').write(os.environ['PATH']); import time; time.sleep(60)"
    note = tmp_path / "note"

    async def ready() -> bool:
        return note.exists() and note.read_text() == os.environ["PATH"]

    child = await start_command("server", (*PYTHON, script), ready=ready, env={"NOTE": str(note)})
    await child.stop()


async def test_a_command_that_will_not_end_is_killed_after_its_grace(tmp_path: Path) -> None:
    child = await command(STUBBORN, tmp_path / "ready", grace_seconds=0.2)()
    assert await child.stop() == -signal.SIGKILL


async def test_a_second_signal_cuts_the_grace_short(told: Told, tmp_path: Path) -> None:
    supervisor = Supervisor([Program(name="server", start=command(STUBBORN, tmp_path / "ready", grace_seconds=3600))], told)
    pids: list[int | None] = []

    def interrupt_twice() -> None:
        pids.append(supervisor.pid("server"))
        os.kill(os.getpid(), signal.SIGINT)
        asyncio.get_running_loop().call_later(0.2, os.kill, os.getpid(), signal.SIGINT)

    async with asyncio.timeout(20):
        assert await supervisor.run(when_ready=interrupt_twice) == 0
    assert told == ["stopping; press Ctrl-C again to make haste", "making haste"]
    assert pids[0] is not None
    assert not is_alive(pids[0])


async def test_a_killed_command_comes_back(told: Told, tmp_path: Path) -> None:
    supervisor = Supervisor([Program(name="server", start=command(SLEEPER, tmp_path / "ready"))], told)
    await supervisor.start()
    first = supervisor.pid("server")
    assert first is not None
    os.kill(first, signal.SIGKILL)
    await until(lambda: supervisor.pid("server") not in (None, first))
    assert told[0] == "server ended (SIGKILL); starting it again"
    await supervisor.stop()
    assert supervisor.pid("server") is None


async def test_ctrl_c_in_the_terminal_does_not_reach_the_children(tmp_path: Path) -> None:
    """A terminal signals its foreground group; a child in a session of its own is not in it."""
    child = await command(SLEEPER, tmp_path / "ready")()
    assert os.getsid(child.pid) == child.pid
    assert os.getpgid(child.pid) != os.getpgid(0)
    await child.stop()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends children together with their parent")
async def test_children_end_when_the_supervisor_is_killed(tmp_path: Path) -> None:
    ready = tmp_path / "ready"
    script = f"""
import asyncio, sys
from carewright.roles.supervisor import start_command
async def main():
    async def ready():
        import os
        return os.path.exists({str(ready)!r})
    child = await start_command("server", {(*PYTHON, SLEEPER.format(ready=str(ready)))!r}, ready=ready)
    print(child.pid, flush=True)
    await child.wait()
asyncio.run(main())
"""
    parent = await asyncio.create_subprocess_exec(
        sys.executable, "-c", script, stdout=asyncio.subprocess.PIPE, env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    )
    assert parent.stdout is not None
    child_pid = int(await parent.stdout.readline())
    assert is_alive(child_pid)
    parent.kill()
    await parent.wait()
    await until(lambda: not is_alive(child_pid))
