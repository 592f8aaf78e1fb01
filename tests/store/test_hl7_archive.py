"""An archive of HL7 v2 messages, brought: only what is to come, each thing once, the same the second time."""

from datetime import timedelta
from pathlib import Path

import pytest

from carewright.contracts.imports import ImportReport
from carewright.hl7.model.framing import framed
from carewright.hl7.service.archive import import_archive
from carewright.kernel.clock import SystemClock
from carewright.kernel.errors import Forbidden
from tests.hl7_sender import Sender, registered

PASSED = "20010102090000"
OVER, OFF, OLD = "hl7.archive.past", "hl7.archive.cancelled", "hl7.archive.superseded"


def at(raw: bytes, day: int) -> bytes:
    """The message, written on a day of October."""
    return raw.replace(b"|20261101|", f"|202610{day:02d}|".encode(), 1)


def written(path: Path, *messages: bytes) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(b"".join(messages))


async def brought(sender: Sender, path: Path, *messages: bytes, dry_run: bool = False) -> ImportReport:
    if messages:
        written(path, *messages)
    return await import_archive(await sender.acting(), [path], dry_run=dry_run)


@pytest.mark.requirement("V2.archive")
async def test_only_what_is_to_come_is_booked_as_it_was_said_last(sender: Sender, tmp_path: Path) -> None:
    first, last = await sender.free(), await sender.free()
    messages = [
        at(sender.siu("S13", "arc-moved", last), 3),  # the order in the file is not that in which they were written
        at(sender.siu("S12", "arc-moved", PASSED), 1),
        at(sender.siu("S13", "arc-moved", first), 2),
        at(sender.siu("S12", "arc-over", PASSED), 1),
        at(sender.siu("S12", "arc-off", first), 1),
        at(sender.siu("S15", "arc-off"), 2),
        at(sender.siu("S12", "arc-met", first), 1),
        at(sender.siu("S14", "arc-met", first, status="Complete"), 2),
        at(sender.siu("S12", "arc-strange", first, kind="NOBODY-KNOWS"), 1),
    ]
    path = tmp_path / "archive.hl7"
    before = len(await sender.stored())
    tried = await brought(sender, path, *map(framed, messages), dry_run=True)
    assert (tried.accepted, tried.rejected, tried.skipped, tried.created, len(await sender.stored())) == (2, 0, 7, 0, before)
    report = await brought(sender, path)
    assert report.codes == {OVER: 3, OFF: 2, OLD: 2, "hl7.unmapped": 1}
    assert (report.accepted, report.created, len(await sender.stored())) == (1, 1, before + 2)
    (issue,) = report.rejections
    assert (issue.file, issue.line, issue.code, issue.resource_type) == ("archive.hl7", 49, "hl7.unmapped", "SIU^S12")
    start = (await sender.appointment("arc-moved"))["start"]
    again = await brought(sender, path)
    assert (again.accepted, again.created, again.unchanged, again.codes) == (1, 0, 1, report.codes)
    assert (len(await sender.stored()), (await sender.appointment("arc-moved"))["start"]) == (before + 2, start)


async def test_what_is_here_is_followed_to_its_end_by_a_later_archive(sender: Sender, tmp_path: Path) -> None:
    booked = at(sender.siu("S12", "arc-known", await sender.free()), 1)
    await brought(sender, tmp_path / "a.hl7", booked)
    report = await brought(sender, tmp_path / "b.hl7", booked, at(sender.siu("S15", "arc-known"), 2))
    assert (report.accepted, report.created, report.unchanged) == (2, 1, 1)
    assert (await sender.appointment("arc-known"))["status"] == "cancelled"


async def test_a_change_that_says_no_time_follows_what_it_changes(sender: Sender, tmp_path: Path) -> None:
    start = await sender.free()
    report = await brought(sender, tmp_path / "a.hl7", at(sender.siu("S14", "arc-part"), 2), at(sender.siu("S13", "arc-part", start), 1))
    assert (report.accepted, report.codes) == (2, {})
    assert (await sender.appointment("arc-part"))["status"] == "booked"


async def test_of_a_patient_the_last_word_counts_and_comes_before_their_appointments(sender: Sender, tmp_path: Path) -> None:
    booking = sender.siu("S12", "arc-pat", await sender.free()).replace(b"Beispiel^Berta^B", b"")
    messages = [
        at(sender.adt("A28", "M-arc-pat", name="Alt^Anna"), 1), at(booking, 2),
        at(sender.adt("A31", "M-arc-pat", name="Neu^Anna"), 3), at(sender.adt("A31", "M-arc-pat", name="Mitte^Anna"), 2),
    ]  # fmt: skip
    report = await brought(sender, tmp_path / "a.hl7", *messages)
    assert (report.accepted, report.codes) == (2, {OLD: 2})
    ctx = await sender.acting()
    assert (await ctx.patients.get_patient(ctx.actor, await sender.patient("M-arc-pat"))).family == "Neu"


async def test_a_folder_is_read_and_what_is_broken_or_not_ours_is_told_by_its_place(sender: Sender, tmp_path: Path) -> None:
    good, start = at(sender.siu("S12", "arc-folder"), 1), await sender.free()
    written(tmp_path / "2026" / "b.hl7", b"secret words of somebody\n", sender.siu("S12", "arc-folder", start))
    written(
        tmp_path / "a.hl7",
        sender.adt("A31", "x").replace(b"2.4\r", b"2.4||||||UNICODE\r").replace(b"Muster", b"M\xff"),
        sender.siu("R01", "x", type="ORU"), sender.siu("O01", "x", type="ORM"), sender.siu("S12", "x", start, processing="T"),
        b"\x0b", good[:60],
    )  # fmt: skip
    written(tmp_path / ".hidden", good)
    report = await import_archive(await sender.acting(), [tmp_path, tmp_path / "gone"])
    assert (report.files, report.accepted) == (3, 1)
    assert [(each.file, each.line, each.code) for each in report.rejections] == [
        ("2026/b.hl7", 1, "hl7.archive.between"), ("a.hl7", 1, "hl7.not_hl7"), ("a.hl7", 14, "hl7.processing"),
        ("a.hl7", 19, "hl7.archive.cut"), ("gone", 0, "hl7.archive.unreadable"),
    ]  # fmt: skip
    assert report.codes["hl7.type"] == report.codes["hl7.archive.order"] == 1
    assert "secret" not in str(report)


async def test_blocks_of_calendars_come_where_they_are_not_over(sender: Sender, tmp_path: Path) -> None:
    soon = SystemClock().now() + timedelta(days=400)
    start, end = (f"{each:%Y%m%d%H%M%S}" for each in (soon, soon + timedelta(hours=1)))
    block = sender.siu("S23", "arc-block", f"{start}^{end}")
    lifted, opened = sender.siu("S23", "arc-lift", f"{start}^{end}"), sender.siu("S24", "arc-lift")
    over = sender.siu("S23", "arc-gone", f"{PASSED}^{PASSED}")
    report = await brought(sender, tmp_path / "a.hl7", at(block, 1), at(lifted, 1), at(opened, 2), at(over, 1), dry_run=True)
    assert (report.accepted, report.codes) == (1, {OFF: 2, OVER: 1})


async def test_who_may_not_send_brings_no_archive(sender: Sender, tmp_path: Path) -> None:
    other = Sender(sender.whole, sender.clinic, await registered(sender.whole, ("directory.read",)))
    with pytest.raises(Forbidden):
        await brought(other, tmp_path / "a.hl7", sender.adt("A31", "x"))
