"""The small clean workspace under every bad file, and what is said about it when something in it is changed."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from engine.definitions.bundle import Bundle, read
from engine.definitions.problem import render

HERE: Final = Path(__file__).parent / "base"
BASE: Final[Mapping[str, str]] = {
    path.relative_to(HERE).as_posix(): path.read_text() for path in HERE.rglob("*") if path.is_file()
}

CATALOG: Final = "rules/catalog.yaml"
CARD: Final = "rules/scorecards/health.yaml"
RULE: Final = "rules/seats-unused.yaml"
PLAYBOOK: Final = "playbooks/seat-activation.yaml"
MESSAGE: Final = "playbooks/messages/seat-activation/hello.md"
REPORT: Final = "playbooks/reports/quarterly.yaml"


def with_edit(path: str, instead: str, write: str, texts: Mapping[str, str] = BASE) -> dict[str, str]:
    """The workspace with one text replaced, which must stand there exactly once."""
    assert texts[path].count(instead) == 1, f"{instead!r} must stand in {path} exactly once"
    return {**texts, path: texts[path].replace(instead, write)}


def said_of(texts: Mapping[str, str]) -> str:
    """All problems as they are shown, one after the other."""
    return "".join(render(problem, texts) + "\n" for problem in read(texts).problems)


def sentences_of(texts: Mapping[str, str]) -> list[str]:
    """Code and sentence of all problems, without place, source line and hint."""
    return [f"{problem.code} {problem.message}" for problem in read(texts).problems]


def notes_of(texts: Mapping[str, str]) -> list[str]:
    """The sentences of all notes."""
    return [note.message for note in read(texts).notes]


def bundle_of(texts: Mapping[str, str]) -> Bundle:
    """The bundle of a workspace that must be clean."""
    checked = read(texts)
    assert checked.bundle is not None, said_of(texts)
    return checked.bundle
