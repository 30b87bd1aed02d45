"""The catalog: what is declared, what other files add to it, and what it refuses."""

import pytest

from engine.definitions.catalog import FromEvents
from engine.definitions.condition import Arithmetic
from engine.definitions.feature import ValueType
from tests.bad_files.workspace import BASE, CATALOG, bundle_of, notes_of, sentences_of, with_edit

SEATS = (
    "  seats_sold: {title: Seats sold, source: commercial, evidence: observe, "
    "type: number, better: neither, bears_on_value: Size}"
)


def test_a_metric_says_where_it_comes_from_and_how_it_is_read() -> None:
    """S1-52: every metric is what customers say, what teams observe or what customers do."""
    metric = bundle_of(BASE).catalog.metrics["active_users"]
    assert (metric.source, metric.evidence, metric.type, metric.unit) == ("adoption", "do", ValueType.NUMBER, "users")
    assert (metric.decimals, metric.combine, metric.stale_after, metric.of) == (2, "last", 0, "account")
    assert metric.place.line == 4
    assert metric.customer_may_see


def test_a_formula_is_a_typed_tree() -> None:
    formula = bundle_of(BASE).catalog.metrics["utilization"].formula
    assert formula is not None
    assert isinstance(formula.tree, Arithmetic)
    assert formula.names == {"active_users", "seats_sold"}


def test_shares_keep_four_decimals_where_nothing_is_said() -> None:
    """Two would make every share a whole percent."""
    assert bundle_of(BASE).catalog.metrics["utilization"].decimals == 4


def test_a_metric_may_be_the_silence_since_an_event() -> None:
    texts = with_edit(CATALOG, "{event: login, count: events}", "{event: login, silence: days, with_roles: [user]}")
    assert bundle_of(texts).catalog.metrics["logins"].from_events == FromEvents(
        events=("login",), silence=True, with_roles=("user",)
    )


def test_questions_responses_and_questions_of_reports_become_metrics() -> None:
    metrics = bundle_of(BASE).catalog.metrics
    happy, response, agreement = metrics["happy"], metrics["response.seat-activation"], metrics["agreement"]
    assert (happy.title, happy.evidence, happy.stale_after) == ("How happy are they?", "observe", 90)
    assert (response.type, response.evidence, response.source) == (ValueType.SHARE, "do", "feedback")
    assert (agreement.title, agreement.evidence) == ("Does this match your view?", "say")


def test_a_declared_metric_wins_over_one_that_a_report_would_add() -> None:
    own = SEATS + "\n" + SEATS.replace("seats_sold", "agreement").replace("Seats sold", "They agree")
    assert bundle_of(with_edit(CATALOG, SEATS, own)).catalog.metrics["agreement"].title == "They agree"


def test_texts_minutes_and_metrics_of_products_are_read_without_a_note() -> None:
    """S0-42: numbers are not all there is."""
    for more in ("type: text", "type: boolean", "type: date", "type: number, of: product, across: max"):
        text = SEATS + "\n" + SEATS.replace("seats_sold", "mood").replace("type: number", more)
        assert notes_of(with_edit(CATALOG, SEATS, text)) == []
    minutes = with_edit(CATALOG, "count: events}", "count: minutes, idle: 10 minutes}")
    assert notes_of(minutes) == []
    source = bundle_of(minutes).catalog.metrics["logins"].from_events
    assert source is not None
    assert source.idle == 10


def test_a_metric_should_say_how_it_bears_on_value() -> None:
    """S0-04."""
    assert notes_of(with_edit(CATALOG, "    bears_on_value: They stay\n", "")) == [
        'it is not said how "active_users" bears on the value for the customer'
    ]


@pytest.mark.parametrize(
    ("instead", "write", "sentences"),
    [
        ("{metric: active_users}", "{metric: nobody}", ['B001 there is no metric "nobody"']),
        ("count: events}", "count: events, silence: days}", [
            "C012 silence is the days since the last event; it has no count and no span"
        ]),
        ("count: events}", "count: clicks}", [
            (
                'C003 "count" must be events, distinct contacts, minutes, key features, departments, seniority, '
                'roles, missing roles, share of contacts, hours, in time or open, not "clicks"'
            ),
        ]),
        ("    of: contact", '    of: contact\n    formula: {"+": [{var: seats_sold}, 1]}', [
            "C010 a metric is made in one way, not by formula and from_events",
        ]),
        ("happy: {ask", "active_users: {ask", [
            'C015 "active_users" is a metric already; the answers to a question become a metric of its name',
            'B001 there is no metric "happy"',
        ]),
        ("  login: {}", "  login:", []),
        ("    unit: users", "    unit: users\n    decimals: 2.5", [
            'C002 "decimals" must be a whole number, not "2.5"'
        ]),
        ("    unit: users", "    unit: users\n    decimals: 12", [
            'C005 "decimals" must be between 0 and 6, not "12"'
        ]),
        ("customer_may_see: true", "customer_may_see: yes", [
            'D011 the customer may not see "active_users"',
            'C002 "customer_may_see" must be true or false, not "yes"',
        ]),
        ("{fields: {nps: number}}", "{fields: {nps: integer}}", [
            'C003 the type of "nps" must be number, share, boolean, text or date, not "integer"'
        ]),
        ("  seats_sold:", "  score:", [
            'C006 a metric cannot be called "score": conditions use that word otherwise',
            'J006 there is no value "seats_sold" here',
            'B001 there is no metric, event or value "seats_sold"',
        ]),
        ("roles: [champion, user]", "roles: [champion, user, user]", ['C007 "user" stands in the list twice']),
        ("north_star: weekly teams that close a plan\n", "", ['C001 the catalog needs "north_star"']),
        ('{">=": [{var: account.arr}, 100000]}', '{">=": [{var: account.arrr}, 100000]}', [
            'J006 there is no value "account.arrr" here'
        ]),
        ('{">=": [{var: account.arr}, 100000]}', "{var: in_segment.enterprise}", [
            'J006 there is no value "in_segment.enterprise" here'
        ]),
    ],
)  # fmt: skip
def test_the_catalog_refuses(instead: str, write: str, sentences: list[str]) -> None:
    assert sorted(sentences_of(with_edit(CATALOG, instead, write))) == sorted(sentences)


def test_the_catalog_may_be_missing_and_everything_else_is_still_read() -> None:
    texts = {path: text for path, text in BASE.items() if path != CATALOG}
    assert "B005 there is no catalog" in sentences_of(texts)
