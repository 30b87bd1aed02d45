"""Commercial figures and answers to questions, each worked out by hand; and that none is left out."""

import re
from pathlib import Path

import pytest

from tests.starter.hand_computed.history import NOBODY, SPONSOR, value
from tests.starter.pack import PACK

SEATS = {"seats_sold": {0: 100}, "seats_provisioned": {0: 80}, "active_users": {0: 20}}


def test_seats_provisioned() -> None:
    """80."""
    assert value("seats_provisioned", SEATS) == 80


def test_the_three_ratios_of_seats() -> None:
    """S3-37: 20 / 100 in use, 80 / 100 set up, 20 / 80 of those in use."""
    assert value("license_utilization", SEATS) == 0.2
    assert value("provisioned_share", SEATS) == 0.8
    assert value("provisioned_in_use", SEATS) == 0.25


REVENUE = {"recurring_revenue": {0: 90_000.0, 400: 100_000.0}}


def test_recurring_revenue() -> None:
    """90,000 today, 100,000 a year ago."""
    assert value("recurring_revenue", REVENUE) == 90_000
    assert value("recurring_revenue.ago_365d", REVENUE) == 100_000


def test_revenue_kept() -> None:
    """90 / 100 = 90 %; 130 / 100 is at most 100 %."""
    assert value("revenue_kept", REVENUE) == 0.9
    assert value("revenue_kept", {"recurring_revenue": {0: 130.0, 400: 100.0}}) == 1


def test_revenue_with_growth() -> None:
    """130 / 100 = 130 %; without last year's figure it is unknown."""
    assert value("revenue_with_growth", {"recurring_revenue": {0: 130.0, 400: 100.0}}) == 1.3
    assert value("revenue_with_growth", {"recurring_revenue": {0: 130.0}}) is None


def bill(name: str, age: int, amount: float = 0.0) -> tuple[int, int, dict[str, object]]:
    return NOBODY, age, {"invoice": name, "amount": amount}


def test_invoiced() -> None:
    """S1-05: 99.50 + 0.25 = 99.75 in 30 days."""
    assert value("invoiced.sum_30d", invoice_issued=[bill("a", 2, 99.5), bill("b", 20, 0.25)]) == 99.75


def test_overdue_amount() -> None:
    """S1-05: 100 + 20 in 60 days; the 7 of 60 days ago are outside."""
    late = [bill("a", 0, 100.0), bill("b", 59, 20.0), bill("c", 60, 7.0)]
    assert value("overdue_amount", invoice_overdue=late) == 120


ISSUED = [bill("a", 100), bill("b", 90), bill("c", 10)]
PAID = [bill("a", 80), bill("b", 50)]


def test_invoices_open() -> None:
    """c: 1."""
    assert value("invoices_open", invoice_issued=ISSUED, invoice_paid=PAID) == 1


def test_paid_in_time() -> None:
    """Invoice a after 20 days, b after 40, c still has time: 1 of 2."""
    assert value("paid_in_time", invoice_issued=ISSUED, invoice_paid=PAID) == 0.5


def test_payments_declined() -> None:
    """S1-05: two in 60 days."""
    assert value("payments_declined", payment_declined=[(NOBODY, 1), (NOBODY, 59), (NOBODY, 60)]) == 2


def test_upgrades_bought() -> None:
    """S1-48, S4-53: two in a year."""
    assert value("upgrades_bought", upgraded=[(SPONSOR, 3, {"seats": 10}), (SPONSOR, 300, {"seats": 5})]) == 2


def test_upgrade_interest() -> None:
    """S1-42: three looks in 30 days."""
    assert value("upgrade_interest", upgrade_viewed=[(SPONSOR, age) for age in (1, 2, 29, 30)]) == 3


@pytest.mark.parametrize("name", sorted(PACK.catalog.questions))
def test_an_answer_counts_from_its_day_for_90_days(name: str) -> None:
    """S1-30, S1-31, S1-32: said 90 days ago: still 2; a day later nobody knows."""
    assert value(name, {name: {90: 2}}) == 2
    assert value(name, {name: {91: 2}}) is None


@pytest.mark.parametrize("name", sorted(name for name in PACK.catalog.metrics if name.startswith("response.")))
def test_the_response_to_a_playbook(name: str) -> None:
    """Met once and missed once: a mean of 50 %."""
    assert value(f"{name}.mean_90d", {name: {3: 1, 40: 0}}) == 0.5


def test_report_agreement() -> None:
    """The customer said 5 of 5."""
    assert value("report_agreement", {"report_agreement": {1: 5}}) == 5


def test_no_shipped_metric_is_without_a_number_worked_out_by_hand() -> None:
    """S1-52: each of them says whether customers say it, teams observe it or customers do it."""
    here = "".join(path.read_text() for path in Path(__file__).parent.glob("test_*.py"))
    shown = set(re.findall(r'(?:value|person|minutes|products)\(\s*"([a-z0-9_]+)', here))
    for cases in re.findall(r"parametrize\((.*?)\ndef ", here, re.DOTALL):
        shown |= set(re.findall(r'"([a-z0-9_]+)"', cases))
    declared = {name for name in PACK.catalog.metrics if not name.startswith(("response.", "feature."))}
    assert declared - shown - set(PACK.catalog.questions) == set()
    assert {metric.evidence for metric in PACK.catalog.metrics.values()} == {"say", "observe", "do"}
    assert all(metric.bears_on_value or metric.source == "feedback" for metric in PACK.catalog.metrics.values())
