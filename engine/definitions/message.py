"""A message: Markdown with a small, checked part of Jinja; its first line is the subject."""

from dataclasses import dataclass, field

from engine.definitions.problem import Place


@dataclass(frozen=True, slots=True)
class Message:
    """One template. ``names`` are the variables it reads without a default, as dotted paths."""

    playbook: str
    name: str
    subject: str
    body: str
    names: frozenset[str]
    place: Place = field(compare=False)
