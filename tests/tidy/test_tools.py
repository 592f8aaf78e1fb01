"""What guards the supply of code: each tool is shown what it must refuse, and what it must let pass."""

from importlib.metadata import Distribution
from pathlib import Path
from typing import Any

import pytest

from tests.tidy.source import ROOT
from tools import advisories, licences, sbom, secret_scan


class Package(Distribution):
    """A package that says `text` of itself."""

    def __init__(self, text: str) -> None:
        self._text = text

    def read_text(self, filename: str) -> str | None:
        return f"Name: exam\nVersion: 1\n{self._text}\n" if filename == "METADATA" else None

    def locate_file(self, path: Any) -> Any:
        return Path(path)


@pytest.mark.parametrize(
    "said",
    [
        "License-Expression: MIT",
        "License-Expression: GPL-3.0-only OR MIT",
        "License-Expression: (MIT OR GPL-2.0-only) AND BSD-3-Clause",
        "License: UNKNOWN\nClassifier: License :: OSI Approved :: Apache Software License",
        "Classifier: License :: OSI Approved\nClassifier: License :: OSI Approved :: MIT License",
        "License: Apache 2.0",
        "License: MIT License\n Copyright somebody",
    ],
)
def test_a_licence_that_a_hospital_can_accept_passes(said: str) -> None:
    assert licences.licence_of(Package(said)).accepted


@pytest.mark.parametrize(
    "said",
    [
        "",
        "License: UNKNOWN",
        "License: see the file",
        "License-Expression: GPL-3.0-only",
        "License-Expression: MIT AND GPL-3.0-only",
        "License-Expression: MIT AND (GPL-3.0-only OR AGPL-3.0-only)",
        "License-Expression: MIT WITH Something-exception",
        "License-Expression: (MIT",
        "License-Expression: MIT)",
        "License-Expression: AND",
        "License: MIT\nClassifier: License :: OSI Approved :: GNU General Public License v3 (GPLv3)",
        "Classifier: License :: Other/Proprietary License",
        "Classifier: License :: OSI Approved",
    ],
)
def test_a_licence_that_nobody_has_accepted_fails(said: str) -> None:
    assert not licences.licence_of(Package(said)).accepted


def test_the_decision_names_every_accepted_licence() -> None:
    decision = (ROOT / "docs" / "adr" / "0003-dependencies.md").read_text("utf-8")
    families = {name.partition("-")[0] if name not in ("MIT-0", "MPL-2.0") else name for name in licences.ACCEPTED - {"ISC"}}
    assert [name for name in sorted(families) if name not in decision] == []


def found_in(path: Path, text: str, *, guessing: bool = False) -> list[str]:
    path.write_text(text, "utf-8")
    return [finding.kind for finding in secret_scan.find([str(path)], secret_scan.GUESSING if guessing else secret_scan.SURE)]


SECRETS = [
    "-----BEGIN " + "RSA PRIVATE KEY-----",
    'key = "AKIA' + 'Z7Q2M4X9P1L8K3VD"',
    'token = "ghp_' + 'Zq8w2Rt5Yu1Io9Pa3Sd6Fg4Hj7Kl0Xc2Vb5N"',
]


@pytest.mark.parametrize("text", SECRETS, ids=["private key", "AWS", "GitHub"])
def test_a_secret_is_seen_wherever_it_stands(tmp_path: Path, text: str) -> None:
    assert found_in(tmp_path / "any.py", text)


def test_a_password_is_seen_by_its_name_outside_the_tests(tmp_path: Path) -> None:
    assert found_in(tmp_path / "any.py", 'password = "Zq8w' + '2Rt5Yu1Io9"', guessing=True)
    assert not found_in(tmp_path / "plain.py", "password = settings.password", guessing=True)
    assert secret_scan.may_guess("src/carewright/kernel/db.py")
    assert not secret_scan.may_guess("tests/servers.py")


def test_a_line_of_the_baseline_gives_its_reason() -> None:
    line = "a.md | Basic Auth Credentials | 00 | an example address"
    assert list(secret_scan.baseline(f"# a comment\n\n{line}\n")) == [("a.md", "Basic Auth Credentials", "00")]
    with pytest.raises(ValueError, match="no reason"):
        list(secret_scan.baseline("a.md | Basic Auth Credentials | 00 | because"))


def audited(name: str, **more: Any) -> dict[str, Any]:
    return {"name": name, "version": "1", "vulns": []} | more


def test_advisories_pass_only_when_every_package_was_asked_for() -> None:
    skipped = {"name": "b", "skip_reason": "Dependency not found on PyPI and could not be audited: b (1)"}
    assert advisories.judged([audited("a"), audited("b")]) == (advisories.NONE_KNOWN, 0)
    assert advisories.judged([audited("a"), skipped]) == ("not checked: the advisory service knows 1 of 2 packages", 0)
    assert advisories.judged([]).says.startswith("not checked: ")


def test_a_known_vulnerability_fails_and_is_named() -> None:
    vulnerable = audited("a", vulns=[{"id": "PYSEC-1"}])
    assert advisories.judged([vulnerable, {"name": "b", "skip_reason": "unknown"}]) == ("vulnerable:\na 1: PYSEC-1", 1)


def test_good_news_is_remembered_for_the_same_lock_file_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(advisories, "REMEMBERED", tmp_path / "advisories.json")
    assert advisories.remembered("one") is None
    advisories.REMEMBERED.write_text('["one", "none known"]')
    assert advisories.remembered("one") == ("none known (as of 0 minutes ago)", 0)
    assert advisories.remembered("two") is None


def bill() -> dict[str, Any]:
    parts = [{"bom-ref": name, "name": name, "version": "1", "type": "library"} for name in ("Exam_Kit", "pytest")]
    return {
        "bomFormat": "CycloneDX", "specVersion": "1.6", "version": 1, "components": parts,
        "metadata": {"component": {"bom-ref": "root", "name": "carewright", "type": "application"}},
        "dependencies": [{"ref": "root", "dependsOn": ["Exam_Kit", "pytest"]}, {"ref": "Exam_Kit"}, {"ref": "pytest"}],
    }  # fmt: skip


def test_the_bill_of_materials_names_what_runs_and_nothing_else() -> None:
    made = sbom.for_running(bill(), sbom.locked("exam-kit==1 \\\n    --hash=sha256:00\nother==2 ; sys_platform == 'win32'\n"))
    assert [component["name"] for component in made["components"]] == ["Exam_Kit"]
    assert made["dependencies"] == [{"ref": "root", "dependsOn": ["Exam_Kit"]}, {"ref": "Exam_Kit", "dependsOn": []}]
    assert sbom.faults_of(made) == []


def test_another_version_than_the_locked_one_and_a_document_out_of_form_fail() -> None:
    with pytest.raises(SystemExit, match="Exam_Kit 1 is installed, 2 is locked"):
        sbom.for_running(bill(), {"exam-kit": {"2"}})
    assert sbom.faults_of(bill() | {"components": [{"name": "no type"}]})
