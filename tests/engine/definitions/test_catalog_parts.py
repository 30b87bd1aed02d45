"""The catalog in parts: one file per group, read as one; a name stands in one of them."""

from engine.definitions.bundle import read
from tests.bad_files.workspace import BASE, CATALOG, bundle_of, said_of, sentences_of

PART = "rules/catalog/money.yaml"
MONEY = """format: 1
title: Money
about: What they pay.

events:
  paid: {fields: {amount: number}}

metrics:
  paid: {title: Paid, source: commercial, evidence: do, type: number, better: higher, bears_on_value: It pays,
    from_events: {event: paid, take: sum, field: amount}}
  paid_per_seat: {title: Paid per seat, source: commercial, evidence: do, type: number, better: higher,
    bears_on_value: It pays, formula: {"/": [{var: paid.sum_30d}, {var: seats_sold}]}}
questions:
  worth_it: {ask: Is it worth it?, scale: 1-5, evidence: say}
"""


def with_part(text: str, path: str = PART) -> dict[str, str]:
    """The small workspace with one more file."""
    return {**BASE, path: text}


def test_parts_are_read_as_one_catalog_whose_names_know_each_other() -> None:
    """S2-37, S0-27: more can be added later, in files of their own, and nothing has to be migrated."""
    catalog = bundle_of(with_part(MONEY)).catalog
    assert {"active_users", "paid", "paid_per_seat", "worth_it"} <= catalog.metrics.keys()
    assert catalog.groups == {"Money": ("paid", "paid_per_seat")}
    assert catalog.metrics["paid"].place.path == PART


def test_a_name_stands_in_one_file_only() -> None:
    assert said_of(with_part(MONEY.replace("  paid_per_seat:", "  seats_sold:"))) == (
        'rules/catalog/money.yaml:11:3: C032 "seats_sold" stands in the metrics of the catalog twice\n'
        "  11 |   seats_sold: {title: Paid per seat, source: commercial, evidence: do, type: number, better: higher,\n"
        "     |   ^\n"
        "    = the other stands in rules/catalog.yaml:13:3\n"
    )


def test_what_there_is_one_of_is_not_said_in_a_part() -> None:
    assert sentences_of(with_part(MONEY + "roles: [buyer]\n")) == ['C004 unknown key "roles"']
    assert sentences_of(with_part(MONEY.replace("title: Money\n", ""))) == ['C001 a part of the catalog needs "title"']
    assert sentences_of(with_part(MONEY.replace("format: 1", "format: 2"))) == ["C008 this version reads format 1 only"]


def test_a_part_that_cannot_be_read_does_not_make_every_name_wrong() -> None:
    """What is wrong is said once, not at every place that uses a name of the part."""
    assert [said[:4] for said in sentences_of(with_part("metrics: {"))] == ["Y008"]


def test_parts_alone_are_no_catalog() -> None:
    texts = {path: text for path, text in with_part(MONEY).items() if path != CATALOG}
    assert "B005 there is no catalog" in sentences_of(texts)


def test_the_order_of_the_files_does_not_matter() -> None:
    first = with_part(MONEY)
    again = dict(reversed(list(first.items())))
    one, other = read(first).bundle, read(again).bundle
    assert one is not None
    assert other is not None
    assert (one.fingerprint, one.catalog) == (other.fingerprint, other.catalog)
