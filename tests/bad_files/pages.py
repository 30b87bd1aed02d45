"""A case as a page that can be read: what is changed in the small workspace, and what the check says then."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from tests.bad_files.workspace import BASE

_BLOCK: Final = r"```(?P<kind>\w*)\n(?P<text>.*?)```"
_STEP: Final = re.compile(rf"(?:(?P<intro>[^\n`]*?)`(?P<path>[^`]+)`[^\n]*\n+)?(?:write\n+)?{_BLOCK}", re.DOTALL)


@dataclass(frozen=True)
class Case:
    """The files of one case, and what is said about them."""

    texts: Mapping[str, str]
    said: str


def read_page(page: str) -> Case:
    """After a path in backticks comes a whole file, or *instead of* and *write*; last comes what is said."""
    texts, path, instead = dict(BASE), "", None
    blocks = list(_STEP.finditer(page))
    for block in blocks[:-1]:
        if block["path"]:
            path = block["path"]
            if block["intro"].strip().startswith("The file"):
                texts[path] = block["text"]
                continue
        if instead is None:
            instead = block["text"].rstrip("\n")
            assert texts[path].count(instead) == 1, f"{instead!r} must stand in {path} exactly once"
        else:
            texts[path] = texts[path].replace(instead, block["text"].rstrip("\n"))
            instead = None
    return Case(texts, blocks[-1]["text"])
