"""The files people write: reading the ``rules/`` and ``playbooks/`` of a folder, and laying down a fresh workspace."""

import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from engine.definitions import bundle
from engine.definitions.bundle import Checked
from engine.definitions.problem import BadDefinition, Place, Problem
from engine.errors import Refused

FOLDERS: Final = ("rules", "playbooks")
SUFFIXES: Final = (".yaml", ".md")
MAX_BYTES: Final = 256 * 1024
MAX_FILES: Final = 2_000
KEPT: Final = frozenset({".vscode/settings.json"})

_SHIPPED = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class Folder:
    """The files of a workspace: relative path (with ``/``) → text, and what could not be read."""

    texts: dict[str, str]
    problems: tuple[Problem, ...]


def read_folder(root: str) -> Folder:
    """Read every ``.yaml`` and ``.md`` file of ``rules/`` and ``playbooks/``; hidden files are left out.

    Raises `Refused` where neither folder is there.
    """
    base = Path(root)
    if not any((base / name).is_dir() for name in FOLDERS):
        raise Refused(
            f'"{root}" has no rules/ and no playbooks/: name another folder, or make one with `backcast init`'
        )
    texts: dict[str, str] = {}
    problems: list[Problem] = []
    for path in _paths(base):
        name = path.relative_to(base).as_posix()
        if len(texts) + len(problems) >= MAX_FILES:
            problems.append(Problem(Place(name), "Y034", f"there are more than {MAX_FILES:,} files here"))
            break
        found = _read(base, path, name)
        if isinstance(found, Problem):
            problems.append(found)
        elif found is not None:
            texts[name] = found
    return Folder(texts, tuple(problems))


def read_files(root: str) -> dict[str, str]:
    """The texts of a workspace. Raises `BadDefinition` where one cannot be read, `Refused` where there is none."""
    found = read_folder(root)
    if found.problems:
        raise BadDefinition(found.problems)
    return found.texts


def check(root: str) -> tuple[Checked, dict[str, str]]:
    """Read and check a workspace: what is to be said about it, and its texts to show the lines with.

    There is a bundle only if there is no problem at all. Raises `Refused` where there is no workspace.
    """
    found = read_folder(root)
    checked = bundle.read(found.texts)
    if found.problems:
        problems = tuple(sorted((*found.problems, *checked.problems)))
        checked = Checked(None, problems, checked.notes)
    return checked, found.texts


def write_workspace(target: str) -> tuple[str, ...]:
    """Copy the shipped rules and playbooks to a new or empty folder; returns the paths written.

    Raises `Refused` where the folder holds anything already: nothing of anybody's is overwritten.
    """
    base = Path(target)
    if base.exists() and not base.is_dir():
        raise Refused(f'"{target}" is a file: name a folder that is new or empty')
    if base.is_dir() and (entry := next(base.iterdir(), None)) is not None:
        raise Refused(f'"{target}" is not empty (it holds "{entry.name}"): name a folder that is new or empty')
    written = []
    for path in _paths(_SHIPPED):
        name = path.relative_to(_SHIPPED)
        try:
            (base / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, base / name)
        except OSError as error:
            raise Refused(f'"{target}" cannot be written to ({error.strerror}): name another folder') from error
        written.append(name.as_posix())
    return tuple(written)


def write_texts(target: str, texts: Mapping[str, str]) -> tuple[str, ...]:
    """Write generated files (path relative to ``target`` → text), in place of earlier ones; the paths written.

    A ``.vscode/settings.json`` that is there is somebody's own and stays. Raises `Refused` where it cannot be written.
    """
    written = []
    for name, text in texts.items():
        path = Path(target) / name
        if path.exists() and name in KEPT:
            continue
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        except OSError as error:
            raise Refused(f'"{path}" cannot be written ({error.strerror}): name another folder') from error
        written.append(name)
    return tuple(written)


def _paths(base: Path) -> Iterator[Path]:
    for name in FOLDERS:
        yield from _below(base / name)


def _below(folder: Path) -> Iterator[Path]:
    # Not rglob: a linked folder has to be seen, not followed and not overlooked.
    if not folder.is_dir() or folder.is_symlink():
        if folder.is_symlink():
            yield folder
        return
    for entry in sorted(folder.iterdir()):
        if entry.name.startswith("."):
            continue
        if entry.is_dir():
            yield from _below(entry)
        elif entry.suffix in {*SUFFIXES, ".yml"}:
            yield entry


def _read(base: Path, path: Path, name: str) -> str | Problem | None:
    if not path.resolve().is_relative_to(base.resolve()) or path.is_dir():
        return Problem(Place(name), "Y032", "this is a link that leads elsewhere", "put the files themselves here")
    if path.suffix == ".yml":
        return Problem(Place(name), "Y035", "only files that end in .yaml are read", f'call it "{path.stem}.yaml"')
    if not path.is_file():
        return Problem(Place(name), "Y033", "this is not a regular file", "remove it")
    try:
        return _text(path, name)
    except OSError as error:
        return Problem(Place(name), "Y033", f"this file cannot be read ({error.strerror})", "check its permissions")


def _text(path: Path, name: str) -> str | Problem:
    if path.stat().st_size > MAX_BYTES:
        return Problem(
            Place(name), "Y031", f"the file is larger than {MAX_BYTES // 1024} KiB", "split it into several files"
        )
    content = path.read_bytes()
    if content.startswith((b"\xff\xfe", b"\xfe\xff")) or content[:2].count(0) == 1:
        return Problem(Place(name), "Y030", "this is UTF-16, not UTF-8", "save the file as UTF-8 in your editor")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = content[: error.start]
        line = before.count(b"\n") + 1
        column = len(before.rpartition(b"\n")[2].decode("utf-8", "replace")) + 1
        message = f"this is not UTF-8 (byte 0x{content[error.start]:02x})"
        return Problem(Place(name, line, column), "Y030", message, "save the file as UTF-8 in your editor")
