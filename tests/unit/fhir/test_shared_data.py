from pathlib import Path

import pytest

from tests.unit.fhir.conftest import Trial
from tests.unit.fhir.doubles import snapshot

SHARED = Path(__file__).parents[4] / "shared" / "data" / "fhir"

pytestmark = pytest.mark.skipif(not SHARED.is_dir(), reason="the Synthea sample (../shared/data/fhir beside the repository) is not here")


async def test_the_synthea_sample_arrives_whole(trial: Trial) -> None:
    report = await trial.run(paths=[SHARED])
    assert {name: counts.accepted for name, counts in report.by_type.items() if counts.accepted} == {
        "Organization": 271,
        "Location": 271,
        "Practitioner": 271,
        "PractitionerRole": 271,
        "Device": 208,
        "Patient": 120,
        "Encounter": 1215,
    }
    assert report.lines == report.accepted + report.rejected + report.skipped == 2727
    assert report.codes == {
        "fhir.import.repeated": 99,
        "fhir.import.kind_of_place": 1,
        "fhir.import.time_zone_assumed": 271,
        "fhir.import.text_repaired": 2,
        "fhir.import.reference_dropped": 1,
    }
    assert all(role.site_ids and role.for_organization_id for role in trial.directory.all("PractitionerRole"))
    assert not any(device.bookable for device in trial.directory.all("Device"))


async def test_the_synthea_sample_imported_twice_changes_nothing(trial: Trial) -> None:
    await trial.run(paths=[SHARED])
    before = snapshot(trial.directory, trial.patients)
    report = await trial.run(paths=[SHARED])
    assert (report.created, report.changed, report.unchanged) == (0, 0, 2627)
    assert snapshot(trial.directory, trial.patients) == before


async def test_half_an_export_is_taken_as_far_as_it_goes(trial: Trial) -> None:
    report = await trial.run(paths=sorted(SHARED.glob("synthea10-*")))
    assert report.by_type["Practitioner"].accepted == 43
    assert report.by_type["Patient"].accepted == 13
    assert report.by_type["PractitionerRole"].rejected == 43
    assert {issue.reason for issue in report.rejections} == {
        "A needed reference points at nothing that was imported or is known. (PractitionerRole.location)"
    }
