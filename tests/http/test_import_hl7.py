"""`carewright import hl7`, as somebody types it."""

from pathlib import Path

import msgspec

from tests.at_work import said
from tests.system import System

SCOPES = ("hl7.message.receive", "directory.read", "patients.find", "patients.read", "patients.read_contacts", "patients.read_identifiers",
          "patients.register")  # fmt: skip
ADT = "MSH|^~\\&|EHR|HOSP|||20261001||ADT^A31|1|P|2.4\rPID|1||ARC-1^^^HOSP^MR||Quokkaline^Zoe\r"
SIU = "MSH|^~\\&|EHR|HOSP|||20010101||SIU^S12|2|P|2.4\rSCH|P1|F1|||||||||^^^20010102090000\rPID|1||ARC-1^^^HOSP^MR||Quokkaline^Zoe\r"


async def test_an_archive_is_tried_and_imported_and_nothing_of_a_person_is_told(one_process: System, tmp_path: Path) -> None:
    folder, report = tmp_path / "archive", tmp_path / "rejected.json"
    folder.mkdir()
    (folder / "october.hl7").write_text(f"words\r{ADT}{SIU}", "ascii")
    asked = [part for scope in SCOPES for part in ("--scope", scope)]
    keys = "--keys-address", "https://ehr.example.org/jwks.json"
    client = (await said(one_process, "client", "add", "--name", "Old EHR", *asked, *keys)).split()[0]
    assert "--client ID" in await said(one_process, "import", "hl7", str(folder), code=1)
    unknown = "019a0000-0000-7000-8000-00000000000a"
    assert "carewright client list" in await said(one_process, "import", "hl7", str(folder), "--client", unknown, code=1)
    command = "import", "hl7", str(folder), "--client", client
    tried = await said(one_process, *command, "--dry-run")
    assert "0 created, 0 changed, 0 unchanged" in tried
    for outcome in ("1 created, 0 changed, 0 unchanged", "0 created, 0 changed, 1 unchanged"):
        told = await said(one_process, *command, "--report", str(report))
        assert outcome in told
        assert "1 hl7.archive.past" in told
        assert "october.hl7:1 hl7.archive.between: What stands here is no message." in told
        assert "Quokkaline" not in told + report.read_text("utf-8")
    (rejected,) = msgspec.json.decode(report.read_bytes())["rejections"]
    assert (rejected["line"], rejected["code"]) == (1, "hl7.archive.between")
