import asyncio
import gzip
import json
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from carewright.fhir.model.reports import REASONS
from tests.unit.fhir.conftest import Trial
from tests.unit.fhir.doubles import snapshot
from tests.unit.fhir.rows import device, organization, patient, place, practitioner, role, site

GOOD: list[dict[str, Any]] = [organization(), site(), place("r1", "ro", "s1"), practitioner(), role(), device(), patient()]
ELEMENTS = sorted({key for row in GOOD for key in row} | {"partOf", "location", "telecom", "birthDate", "communication", "identifier"})

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*ELEMENTS, "family", "system", "value"]), inner, max_size=3)
    ),
    max_leaves=6,
)


@st.composite
def spoiled(draw: st.DrawFn) -> bytes:
    """A good row with some elements replaced by anything."""
    row = dict(draw(st.sampled_from(GOOD)))
    row |= draw(st.dictionaries(st.sampled_from(ELEMENTS), json_values, max_size=3))
    return json.dumps(row).encode(errors="surrogatepass")


@st.composite
def cut(draw: st.DrawFn) -> bytes:
    """A row that breaks off."""
    whole = json.dumps(draw(st.sampled_from(GOOD))).encode()
    return whole[: draw(st.integers(0, len(whole)))]


lines = st.lists(spoiled() | cut() | st.binary(max_size=40).map(lambda data: data.replace(b"\n", b"")), max_size=12)


@settings(max_examples=150)
@given(lines=lines, packed=st.booleans())
def test_whatever_the_lines_hold_each_is_counted_once_and_a_second_import_changes_nothing(lines: list[bytes], packed: bool) -> None:
    data = b"\n".join(lines)
    expected = sum(bool(line.strip()) for line in data.removeprefix(b"\xef\xbb\xbf").split(b"\n"))
    with tempfile.TemporaryDirectory() as folder:
        trial = Trial(Path(folder))
        (trial.folder / "rows.ndjson").write_bytes(gzip.compress(data) if packed else data)
        if not packed and data.startswith(b"\x1f\x8b"):
            return
        report = asyncio.run(trial.run())
        before = snapshot(trial.directory, trial.patients)
        again = asyncio.run(trial.run())
    assert report.accepted + report.rejected + report.skipped == report.lines == expected
    assert report.created == report.accepted == again.unchanged
    assert {issue.code for issue in (*report.rejections, *report.warnings)} <= REASONS.keys()
    assert (again.created, again.changed) == (0, 0)
    assert snapshot(trial.directory, trial.patients) == before


@settings(max_examples=100)
@given(data=st.binary(max_size=200), magic=st.booleans())
def test_no_file_is_too_broken_to_report_on(data: bytes, magic: bool) -> None:
    with tempfile.TemporaryDirectory() as folder:
        trial = Trial(Path(folder))
        (trial.folder / "rows.ndjson.gz").write_bytes(b"\x1f\x8b" * magic + data)
        report = asyncio.run(trial.run())
    assert report.accepted + report.rejected + report.skipped == report.lines
