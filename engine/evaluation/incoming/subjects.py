"""Whom each pushed point is about: the account, one of its contacts, or a product it uses. Pure look-ups."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from engine.evaluation.columns import Ints
from engine.evaluation.incoming.faults import BAD, Report, shortened
from engine.evaluation.incoming.points import PointBlock
from engine.evaluation.point_values import like

_SUGGESTED: Final = 10
"""For so many rows of a block a likely name is looked for: each means comparing with thousands."""


class Known(dict[str, int]):
    """Texts as written to ids; `BAD` for what is not there."""

    def __missing__(self, text: str) -> int:
        return BAD


@dataclass(slots=True)
class Directory:
    """What is known of the names of a body. ``contacts``: id and account id; ``products``: by account id, then name.

    ``complete``: all accounts are in it.
    """

    complete: bool = False
    accounts: Known = field(default_factory=Known)
    contacts: dict[str, tuple[int, int]] = field(default_factory=dict)
    products: dict[int, dict[str, int]] = field(default_factory=dict)


def find_subjects(
    block: PointBlock, codes: Ints, others: Mapping[int, str], directory: Directory, report: Report
) -> Ints:
    """int64[K]: each row's subject id, `BAD` (and reported) where there is none.

    ``others``: the codes of metrics of contacts and products. A metric of contacts without a contact column names
    its contact as the account.
    """
    finder = _Finder(block, directory, report)
    found = np.fromiter(map(directory.accounts.__getitem__, block.accounts), dtype=np.int64, count=len(block))
    for row in _special(block, codes, others):
        found[row] = finder.special(row, others.get(int(codes[row]), "account"))
    for row in report.some(found == BAD):
        finder.unknown(row, others.get(int(codes[row]), "account"))
    return found


def _special(block: PointBlock, codes: Ints, others: Mapping[int, str]) -> Iterable[int]:
    chosen = np.isin(codes, list(others)) if others else np.zeros(len(block), dtype=np.bool_)
    for column in (block.contacts, block.products):
        if column is not None:
            chosen |= np.fromiter(map(bool, column), dtype=np.bool_, count=len(block))
    rows: list[int] = np.flatnonzero(chosen & (codes != BAD)).tolist()
    return rows


class _Finder:
    def __init__(self, block: PointBlock, directory: Directory, report: Report) -> None:
        self.block = block
        self.directory = directory
        self.report = report
        self._suggested = 0

    def special(self, row: int, kind: str) -> int:
        """The subject of a row that names a contact or a product, or should; `BAD` without a word where it is none."""
        account = self.directory.accounts[self.block.accounts[row]]
        contact, product = self._named(row)
        if kind == "contact" and not product:
            person = self.directory.contacts.get(contact or self.block.accounts[row].strip(), (BAD, BAD))
            return BAD if contact and person[1] != account else person[0]
        if kind == "product" and product and not contact:
            return self.directory.products.get(account, {}).get(product, BAD)
        return BAD if contact or product or kind != "account" else account

    def unknown(self, row: int, kind: str) -> None:
        """Say why a row has no subject."""
        contact, product = self._named(row)
        known, account = self.directory.accounts[self.block.accounts[row]], self.block.accounts[row].strip()
        measured = f'"{shortened(self.block.metrics[row].strip())}" is measured of {kind}s'
        if contact and known != BAD and kind != "contact":
            self._add(row, "contact", "unexpected_contact", f"{measured}; leave the contact empty")
        elif product and known != BAD and kind != "product":
            self._add(row, "product", "unexpected_product", f"{measured}; leave the product empty")
        elif known == BAD and (contact or kind != "contact"):
            hint = self._like(account, self.directory.accounts) or "; push the account first"
            message = (
                f'there is no account "{shortened(account)}"{hint}' if account else '"account" is empty; fill it in'
            )
            self._add(row, "account", "unknown_account", message)
        elif kind == "contact":
            self._unknown_contact(row, contact, account)
        elif not product:
            self._add(row, "product", "missing_product", f'{measured}; say which one in "product"')
        else:
            theirs = self.directory.products.get(known, {})
            hint = self._like(product, theirs) or "; push the account with its products first"
            message = f'the account "{shortened(account)}" has no product "{shortened(product)}"{hint}'
            self._add(row, "product", "unknown_product", message)

    def _unknown_contact(self, row: int, contact: str, account: str) -> None:
        key = contact or account
        if key in self.directory.contacts:
            where = f'is not at the account "{shortened(account)}"; name the account it is at'
            message = f'the contact "{shortened(key)}" {where}'
        else:
            message = (
                f'there is no contact "{shortened(key)}"{self._like(key, self.directory.contacts) or "; push it first"}'
            )
        self._add(row, "contact" if contact else "account", "unknown_contact", message)

    def _named(self, row: int) -> tuple[str, str]:
        contacts, products = self.block.contacts, self.block.products
        return (contacts[row].strip() if contacts else "", products[row].strip() if products else "")

    def _like(self, name: str, known: Mapping[str, object]) -> str:
        self._suggested += 1
        return like(name, known) if self._suggested <= _SUGGESTED else ""

    def _add(self, row: int, column: str, code: str, message: str) -> None:
        self.report.add(row, column, code, message)
