"""The documents: they exist, they are in form, their links lead somewhere, and their examples run."""

import re
import tomllib
from pathlib import Path

import pytest

from tests.tidy.source import ROOT, modules

DECISIONS = sorted((ROOT / "docs" / "adr").glob("*.md"))
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
LINK = re.compile(r"\]\((?!https?://|#|mailto:)([^)#\s]+)")
EXAMPLE = re.compile(r"^```python\n(.*?)^```", re.DOTALL | re.MULTILINE)
FENCED = re.compile(r"^```.*?^```", re.DOTALL | re.MULTILINE)
PRINTED = re.compile(r"^print\((.*)\)\n# (.*)$", re.MULTILINE)
EMPTY_SECTION = re.compile(r"^(#+) [^\n]+\n+(?=\1 |\Z)", re.MULTILINE)
ONE_SENTENCE = re.compile(r"^(> [^\n]+\n)+", re.MULTILINE)


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def test_the_readme_shows_both_commands() -> None:
    text = (ROOT / "README.md").read_text("utf-8")
    assert "\nmake up\n" in text
    assert "\nmake test\n" in text


def test_ci_runs_the_readmes_test_command() -> None:
    assert "make test" in (ROOT / ".ci" / "run").read_text("utf-8")


@pytest.mark.parametrize("name", ["ARCHITECTURE.md", "CONTRIBUTING.md", "GLOSSARY.md", "LICENSE", "SECURITY.md", "docs/STATUS.md"])
def test_the_document_exists(name: str) -> None:
    assert (ROOT / name).is_file()


def test_decisions_are_numbered_without_gaps() -> None:
    assert [path.name[:4] for path in DECISIONS] == [f"{number:04d}" for number in range(1, len(DECISIONS) + 1)]


@pytest.mark.parametrize("path", DECISIONS, ids=name_of)
def test_a_decision_is_in_form(path: Path) -> None:
    text = path.read_text("utf-8")
    assert re.fullmatch(r"\d{4}-[a-z0-9-]+\.md", path.name)
    assert text.startswith(f"# {int(path.name[:4])}. ")
    assert re.findall(r"^## (.+)$", text, re.MULTILINE) == ["Context", "Decision", "Consequences", "Alternatives"]
    decision = text.partition("## Decision\n")[2].partition("\n## ")[0]
    assert len(ONE_SENTENCE.findall(decision)) == 1, "the decision is one quotable sentence: > ..."


@pytest.mark.parametrize("module", modules())
def test_every_module_has_its_page(module: str) -> None:
    assert (ROOT / "docs" / "reference" / "modules" / f"{module}.md").is_file()


@pytest.mark.parametrize("path", PAGES, ids=name_of)
def test_links_lead_somewhere(path: Path) -> None:
    missing = [link for link in LINK.findall(path.read_text("utf-8")) if not (path.parent / link).exists()]
    assert missing == []


@pytest.mark.parametrize("path", PAGES, ids=name_of)
def test_no_section_is_empty(path: Path) -> None:
    prose = FENCED.sub("(code)", path.read_text("utf-8"))
    assert [match[0].strip() for match in EMPTY_SECTION.finditer(prose)] == []


@pytest.mark.parametrize("path", [path for path in PAGES if EXAMPLE.search(path.read_text("utf-8"))], ids=name_of)
def test_examples_run_and_print_what_they_say(path: Path) -> None:
    code = "\n".join(EXAMPLE.findall(path.read_text("utf-8")))
    checked = PRINTED.sub(lambda match: f"assert repr({match[1]}) == {match[2]!r}, repr({match[1]})", code)
    assert "print(" not in checked, "a print in a document is followed by a comment with what it prints"
    exec(compile(checked, str(path), "exec"), {})  # noqa: S102 -- documents are ours, and are shown to run


def test_every_dependency_is_argued() -> None:
    argued = (ROOT / "docs" / "adr" / "0003-dependencies.md").read_text("utf-8").lower()
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    wanted = [*project["project"]["dependencies"], *(line for group in project["dependency-groups"].values() for line in group)]
    names = [re.split(r"[<>=~ ;\[]", line)[0].lower().replace("_", "-") for line in wanted if isinstance(line, str)]
    assert [name for name in names if name not in argued] == []
