"""`carewright import easyappointments`, `openemr` and `medplum`, as somebody types them."""

from pathlib import Path

import pytest

from tests.at_work import said
from tests.older_systems import easy_appointments, openemr
from tests.system import System

CUSTOMER = {"id": 10, "first_name": "Zoe", "last_name": "Quokkaline", "id_roles": 3}
PATIENT = {"id": 1, "pid": 7, "fname": "Ann", "lname": "Wombatine", "sex": "Female"}
PASSED = "2001-01-01 09:00:00"
VISIT = {"id": 1, "id_users_customer": 10, "id_users_provider": 2, "id_services": 1, "status": "Booked", "start_datetime": PASSED}
EVENT = {"pc_eid": 1, "pc_pid": "7", "pc_eventDate": PASSED[:10], "pc_startTime": PASSED[11:], "pc_apptstatus": "-"}
OURS = "01941f29-7c00-7000-8000-000000000001"


@pytest.mark.parametrize(
    ("name", "dump"), [("easyappointments", easy_appointments([CUSTOMER], [VISIT])), ("openemr", openemr([PATIENT], [EVENT]))]
)  # fmt: skip
async def test_a_dump_is_drafted_tried_and_imported(one_process: System, tmp_path: Path, name: str, dump: str) -> None:
    path, mapping = tmp_path / "dump.sql", tmp_path / "map.toml"
    path.write_text(dump, "utf-8")
    drafting = "import", name, str(path), "--draft", str(mapping)
    assert "fill it in" in await said(one_process, *drafting)
    assert "there already" in await said(one_process, *drafting, code=1)
    command = "import", name, str(path), "--mapping", str(mapping)
    assert "`source` is the name" in await said(one_process, *command, code=1)
    filled = mapping.read_text("utf-8").replace('source = ""', f'source = "urn:test:{name}"').replace('zone = ""', 'zone = "Europe/Berlin"')
    mapping.write_text(filled.replace('site = ""', f'site = "{OURS}"'), "utf-8")
    tried = await said(one_process, *command, "--dry-run")
    assert "0 created, 0 changed, 0 unchanged" in tried
    assert "Appointment                 0 accepted      0 rejected      1 skipped" in tried
    for outcome in ("1 created, 0 changed, 0 unchanged", "0 created, 0 changed, 1 unchanged"):
        assert outcome in await said(one_process, *command)


async def test_appointments_of_a_fhir_export_are_drafted_and_tried(one_process: System, tmp_path: Path) -> None:
    path, mapping = tmp_path / "Appointment.ndjson", tmp_path / "map.toml"
    path.write_text('{"resourceType": "Appointment", "id": "a", "status": "booked", "start": "2001-01-01T09:00:00Z"}\n', "utf-8")
    await said(one_process, "import", "medplum", str(path), "--draft", str(mapping))
    mapping.write_text(mapping.read_text("utf-8").replace('site = ""', f'site = "{OURS}"'), "utf-8")
    tried = await said(one_process, "import", "medplum", str(path), "--mapping", str(mapping), "--dry-run")
    assert "Appointment                 0 accepted      0 rejected      1 skipped" in tried


async def test_what_is_wrong_is_said_in_a_sentence(one_process: System, tmp_path: Path) -> None:
    path, mapping = tmp_path / "dump.sql", tmp_path / "map.toml"
    path.write_text(openemr([PATIENT], [EVENT])[:-200], "utf-8")
    assert "cut off" in await said(one_process, "import", "openemr", str(path), "--draft", str(mapping), code=1)
    assert not mapping.exists()
    assert "of one dump of" in await said(one_process, "import", "csv", str(path), "--draft", str(mapping), code=1)
    mapping.write_text(f'system = "openemr"\nsource = "urn:test:x"\ntime_zone = "UTC"\nconstants = {{ site = "{OURS}" }}\n', "utf-8")
    command = str(path), "--mapping", str(mapping)
    assert "of 'openemr'" in await said(one_process, "import", "easyappointments", *command, code=1)
    assert "cut off" in await said(one_process, "import", "openemr", *command, code=1)
