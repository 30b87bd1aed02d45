"""A message: Markdown with a small, checked part of Jinja; its first line is the subject."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from engine.definitions.problem import Place


@dataclass(frozen=True, slots=True)
class Message:
    """One template. ``names`` are the variables it reads without a default, as dotted paths.

    ``variants``: the same message in other languages (``de``, ``pt-br``), by language.
    """

    playbook: str
    name: str
    subject: str
    body: str
    names: frozenset[str]
    place: Place = field(compare=False)
    language: str = ""
    variants: Mapping[str, "Message"] = field(default_factory=dict)

    def for_language(self, language: str) -> "Message":
        """The variant for a language as contacts have it (``de-AT``), else for ``de``, else the message itself."""
        wanted = language.strip().replace("_", "-").lower()
        return self.variants.get(wanted) or self.variants.get(wanted.partition("-")[0]) or self
