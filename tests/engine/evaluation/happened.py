"""Small histories for the tests of metrics made of events: who did what, when, with which fields."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from engine.definitions.bundle import read
from engine.definitions.catalog import Catalog
from engine.definitions.problem import render
from engine.evaluation.columns import Column, Numbers, Texts
from engine.evaluation.facts import Facts, Happenings
from engine.evaluation.features import Features
from tests.engine.evaluation import portfolio as p

HEAD = """
format: 1
north_star: they get what they came for
roles: [champion, sponsor, user, key_user]
stages: [onboarding, adoption, churned]
"""
SAME = "title: It, source: adoption, evidence: do, better: higher, bears_on_value: It matters"


class Did(NamedTuple):
    """One event: account row, contact row (-1: nobody), age in days, minute of that day, and its fields."""

    account: int
    contact: int
    age: int
    minute: int = 0
    fields: Mapping[str, Any] = {}


def catalog_of(text: str) -> Catalog:
    """The catalog of a text of YAML, which must be clean."""
    texts = {"rules/catalog.yaml": HEAD + text}
    checked = read(texts)
    assert checked.bundle is not None, "\n".join(render(problem, texts) for problem in checked.problems)
    return checked.bundle.catalog


def problems_of(text: str) -> list[str]:
    """Code and sentence of everything that is wrong with a catalog."""
    return [f"{each.code} {each.message}" for each in read({"rules/catalog.yaml": HEAD + text}).problems]


def happenings(*events: Did) -> Happenings:
    """Events of one kind."""
    found = sorted(events, key=lambda each: (each.account, -each.age, each.minute))
    names = sorted({name for each in found for name in each.fields})
    return Happenings(
        ids=np.arange(len(found), dtype=np.int64) + 500,
        rows=np.array([each.account for each in found], dtype=np.int64),
        contact_rows=np.array([each.contact for each in found], dtype=np.int64),
        days=np.array([p.AT - each.age for each in found], dtype=np.int64),
        fields={name: _column([each.fields.get(name) for each in found]) for name in names},
        times=np.array([(p.AT - each.age) * 86_400 + each.minute * 60 for each in found], dtype=np.int64),
    )


def told(size: int = 1, people: Any = (), contact_fields: Any = None, **events: tuple[Did, ...]) -> Facts:
    """Facts of ``size`` accounts with people (account row, roles) and events by kind."""
    kinds = {name: happenings(*each) for name, each in events.items()}
    known = p.facts(size, people=people, events=kinds)
    return replace(known, contacts=replace(known.contacts, fields=contact_fields or {}))


def seen(catalog: Catalog, facts: Facts, name: str, **more: Any) -> list[Any]:
    """A column by its name, texts as words, unknown as None."""
    column = Features(catalog, facts, **more)[name]
    if isinstance(column, Texts):
        return [column.words[code] if code >= 0 else None for code in column.codes]
    return [None if np.isnan(value) else round(float(value), 12) for value in column.values]


def _column(values: list[Any]) -> Column:
    if any(isinstance(value, str) for value in values):
        return p.texts(*values)
    return Numbers(np.array([np.nan if value is None else float(value) for value in values], dtype=np.float64))
