"""The test runner counts honestly: what breaks a tier fails it, named test or not."""

import sys
from pathlib import Path

import pytest

from tests import run

REPORT = '<testsuites><testsuite tests="{}" failures="{}" errors="{}" skipped="{}"/></testsuites>'


def report(folder: Path, *figures: int) -> Path:
    path = folder / "report.xml"
    path.write_text(REPORT.format(*figures), "utf-8")
    return path


def test_pytests_figures_are_taken_over(tmp_path: Path) -> None:
    assert run.count(report(tmp_path, 10, 2, 1, 3), 1) == run.Outcome(passed=4, failed=3, skipped=3)


def test_a_run_that_broke_off_without_a_report_is_a_failure(tmp_path: Path) -> None:
    assert run.count(tmp_path / "report.xml", 137) == run.Outcome(failed=1)


def test_a_bad_end_after_good_tests_is_a_failure(tmp_path: Path) -> None:
    assert run.count(report(tmp_path, 5, 0, 0, 0), 3).failed == 1


def test_a_tier_without_tests_is_a_failure(capsys: pytest.CaptureFixture[str]) -> None:
    assert run.run_tier(run.Tier("ghosts", "", ("no_such_folder",), 10), [], named=False).failed == 1
    assert "tests/no_such_folder" in capsys.readouterr().out


def test_one_failed_tier_fails_the_whole(capsys: pytest.CaptureFixture[str]) -> None:
    outcomes = {"rules": run.Outcome(passed=3, seconds=1.0), "store": run.Outcome(passed=1, failed=1, skipped=2, seconds=2.0)}
    assert run.close(outcomes, 2.6) == 1
    assert capsys.readouterr().out.endswith("failed tiers: store\n===== 4 passed, 1 failed, 2 skipped in 3s =====\n")
    assert run.close({"rules": run.Outcome(passed=3)}, 1.0) == 0


def test_what_failed_is_told_again_at_the_end(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "report.xml"
    case = '<testcase classname="tests.roles.test_tls" name="test_a"><failure message="short">line 1\nassert 1 == 2</failure></testcase>'
    path.write_text(
        f'<testsuites><testsuite tests="2" failures="1" errors="0" skipped="0"><testcase/>{case}</testsuite></testsuites>', "utf-8"
    )
    run.close({"roles": run.count(path, 1)}, 1.0)
    assert "failed: tests.roles.test_tls::test_a: 'short'\n    line 1\n    assert 1 == 2\n" in capsys.readouterr().out


def test_tiers_side_by_side_are_told_apart_and_one_that_hangs_is_ended(capsys: pytest.CaptureFixture[str]) -> None:
    told = [sys.executable, "-c", "print('one'); print('two')"]
    assert run.run_pytest(run.Tier("quick", "", (), 60), told, named=True) == 0
    assert capsys.readouterr().out == "quick   | one\nquick   | two\n"
    hangs = [sys.executable, "-c", "import time; print('on my way', flush=True); time.sleep(600)"]
    assert run.run_pytest(run.Tier("slow", "", (), 1), hangs, named=True) != 0
    assert "The tier slow did not finish within 1 s." in capsys.readouterr().out


@pytest.mark.parametrize("tier", run.TIERS, ids=lambda tier: tier.name)
def test_folders_of_a_tier_are_named_once(tier: run.Tier) -> None:
    assert all(sum(folder in other.folders for other in run.TIERS) == 1 for folder in tier.folders)
