"""Settings: from a file and the environment, or one clear line."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carewright.kernel.settings import StartFailed, load


@dataclass(frozen=True, slots=True, kw_only=True)
class Exam:
    port: int = 8080
    name: str = "none"
    ratio: float = 0.5
    on: bool = False
    level: Literal["LOW", "HIGH"] = "LOW"
    endpoint: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ExamRoom:
    beds_max: int = 2


SECTIONS = {"exam": Exam, "exam_room": ExamRoom}


def test_without_anything_given_the_defaults_hold() -> None:
    assert load(SECTIONS, {"PATH": "/bin", "CAREWRIGHTS": "x"}) == {"exam": Exam(), "exam_room": ExamRoom()}


def test_the_environment_fills_fields_by_section_and_name() -> None:
    given_here = {
        "CAREWRIGHT_EXAM_PORT": "99", "CAREWRIGHT_EXAM_RATIO": "0.25", "CAREWRIGHT_EXAM_ON": "true", "CAREWRIGHT_EXAM_LEVEL": "HIGH",
        "CAREWRIGHT_EXAM_ENDPOINT": "http://x", "CAREWRIGHT_EXAM_ROOM_BEDS_MAX": "4",
    }  # fmt: skip
    loaded = load(SECTIONS, given_here)
    assert loaded["exam"] == Exam(port=99, ratio=0.25, on=True, level="HIGH", endpoint="http://x")
    assert loaded["exam_room"] == ExamRoom(beds_max=4), "the longer name of a section wins"


def test_the_environment_wins_over_the_file(tmp_path: Path) -> None:
    file = tmp_path / "settings.toml"
    file.write_text('[exam]\nport = 1\nname = "from the file"\n[exam_room]\nbeds_max = 7\n')
    loaded = load(SECTIONS, {"CAREWRIGHT_EXAM_PORT": "2"}, file)
    assert loaded["exam"] == Exam(port=2, name="from the file")
    assert loaded["exam_room"] == ExamRoom(beds_max=7)


def test_the_data_directory_of_the_command_line_is_no_setting() -> None:
    assert load(SECTIONS, {"CAREWRIGHT_DATA": "somewhere"})["exam"] == Exam()


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("CAREWRIGHT_EXAM_PROT", "Did you mean exam.port?"),
        ("CAREWRIGHT_EXAN_PORT", "Did you mean CAREWRIGHT_EXAM_PORT?"),
        ("CAREWRIGHT_EXAM_ROOM_BED_MAX", "Did you mean exam_room.beds_max?"),
        ("CAREWRIGHT_", "Unknown setting"),
        ("CAREWRIGHT_QQQQQQQQ", "Unknown setting CAREWRIGHT_QQQQQQQQ"),
    ],
)
def test_an_unknown_name_is_refused_with_the_nearest_known(name: str, says: str) -> None:
    with pytest.raises(StartFailed) as refused:
        load(SECTIONS, {name: "1"})
    assert says in refused.value.detail
    assert "\n" not in refused.value.detail


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[exam]\nprot = 1", "Did you mean exam.port?"),
        ("[exma]\nport = 1", "Did you mean exam?"),
        ("port = 1", "Unknown setting port"),
        ("[exam]\nport = 'x'", "does not fit"),
        ("[exam", "not valid TOML"),
        ("[exam]\nlevel = 'MIDDLE'", "does not fit"),
    ],
)
def test_a_file_that_is_wrong_is_refused_in_one_line(tmp_path: Path, text: str, says: str) -> None:
    file = tmp_path / "settings.toml"
    file.write_text(text)
    with pytest.raises(StartFailed) as refused:
        load(SECTIONS, {}, file)
    assert says in refused.value.detail
    assert "\n" not in refused.value.detail


def test_a_file_that_is_not_there_or_not_text_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StartFailed, match="cannot be read"):
        load(SECTIONS, {}, tmp_path / "none.toml")
    (tmp_path / "bytes.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(StartFailed, match="not valid TOML"):
        load(SECTIONS, {}, tmp_path / "bytes.toml")


@pytest.mark.parametrize("value", ["x", "", "1.5", "eighty eighty"])
def test_a_value_that_does_not_fit_is_refused_without_being_shown(value: str) -> None:
    with pytest.raises(StartFailed, match="does not fit") as refused:
        load(SECTIONS, {"CAREWRIGHT_EXAM_PORT": value})
    assert len(value) < 3 or value not in refused.value.detail


@given(st.dictionaries(st.text().map(lambda name: f"CAREWRIGHT_{name}"), st.text(), max_size=3))
def test_whatever_is_given_loads_or_is_refused(environ: dict[str, str]) -> None:
    try:
        load(SECTIONS, environ)
    except StartFailed as refused:
        assert refused.detail  # noqa: PT017  # either way is right
