"""Metrics of the events of a span: people, surveys, features, pairs, coverage; and what their words refuse."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from engine.evaluation.facts import Facts, Products
from engine.evaluation.features import taken
from engine.evaluation.wording import condition_text
from tests.engine.evaluation import portfolio as p
from tests.engine.evaluation.happened import SAME, Did, catalog_of, problems_of, seen, told

CATALOG = catalog_of(f"""
events:
  login: {{}}
  answered: {{fields: {{score: number}}}}
  sent: {{}}
  opened: {{fields: {{ticket: text, severity: number}}}}
  resolved: {{fields: {{ticket: text}}}}
  used: {{fields: {{feature: text}}}}
  met: {{}}
  invoice: {{fields: {{amount: number, overdue: boolean}}}}
  noted: {{fields: {{theme: text}}}}
  trained: {{}}
features:
  reports: {{title: Reports}}
  export: {{title: Export}}
  theme: {{title: Colours, key: false}}
seniority: [staff, manager, director]
metrics:
  minutes: {{{SAME}, type: number, from_events: {{event: login, count: minutes}}}}
  month: {{{SAME}, type: number, from_events: {{event: login, count: distinct contacts, over: 30d}}}}
  nps: {{{SAME}, type: number, from_events: {{event: answered, take: nps, field: score, over: 90d}}}}
  csat: {{{SAME}, type: share, from_events: {{event: answered, take: csat, field: score, over: 90d}}}}
  ces: {{{SAME}, type: number, from_events: {{event: answered, take: ces, field: score, over: 90d}}}}
  ces_mean: {{{SAME}, type: number, from_events: {{event: answered, take: ces mean, field: score, over: 90d}}}}
  rate: {{{SAME}, type: share, from_events: {{event: answered, per: sent, over: 90d}}}}
  hours: {{{SAME}, type: number, from_events: {{event: opened, until: resolved, by: ticket, count: hours, over: 30d}}}}
  in_time: {{{SAME}, type: share,
            from_events: {{event: opened, until: resolved, by: ticket, count: in time, within: 2d, over: 30d}}}}
  still_open: {{{SAME}, type: number,
               from_events: {{event: opened, until: resolved, by: ticket, count: open, over: 30d}}}}
  severe: {{{SAME}, type: number,
           from_events: {{event: opened, where: {{">=": [{{var: event.severity}}, 3]}}, over: 30d}}}}
  depth: {{{SAME}, type: share, from_events: {{event: used, count: key features, over: 30d}}}}
  overdue: {{{SAME}, type: number,
            from_events: {{event: invoice, take: sum, field: amount, where: {{var: event.overdue}}}}}}
  largest: {{{SAME}, type: number, from_events: {{event: invoice, take: max, field: amount, over: 90d}}}}
  theme: {{{SAME}, type: text, from_events: {{event: noted, take: last, field: theme, over: 90d}}}}
  departments: {{{SAME}, type: number, from_events: {{event: met, count: departments, over: 90d}}}}
  seniority: {{{SAME}, type: number, from_events: {{event: met, count: seniority, over: 90d}}}}
  reached: {{{SAME}, type: share,
            from_events: {{event: met, count: roles, with_roles: [champion, sponsor], over: 90d}}}}
  gaps: {{{SAME}, type: text,
         from_events: {{event: met, count: missing roles, with_roles: [champion, sponsor], over: 90d}}}}
  started: {{{SAME}, type: share, from_events: {{event: trained, count: share of contacts, within: 30d, over: 180d}}}}
  logins: {{{SAME}, of: contact, type: number, from_events: {{event: login}}}}
  effort: {{{SAME}, of: contact, across: mean, type: number}}
  users: {{{SAME}, type: number, from_contacts: {{with_roles: [user]}}}}
  active: {{{SAME}, type: number, from_contacts: {{metric: logins.sum_30d, at_least: 1}}}}
  share_active: {{{SAME}, type: share, from_contacts: {{metric: logins.sum_30d, at_least: 1, give: share}}}}
  power: {{{SAME}, type: number, from_contacts: {{metric: logins.days_28d, at_least: 3}}}}
  busiest: {{{SAME}, type: number, from_contacts: {{metric: logins.sum_30d, give: max}}}}
  speed: {{{SAME}, of: product, across: min, type: number}}
""")
TWO = ((0, {"user"}), (0, {"champion"}), (1, {"sponsor"}))


def test_minutes_are_the_time_between_events_without_the_breaks() -> None:
    """S0-28, S0-29, S3-22: opened in the morning and left idle is not use."""
    working = tuple(Did(0, 0, 0, minute) for minute in (0, 4, 8, 60, 63))
    idle = (Did(1, 2, 0, 0), Did(1, 2, 0, 480))
    facts = told(2, TWO, login=(*working, *idle))
    assert seen(CATALOG, facts, "minutes") == [11, 0]
    assert seen(CATALOG, facts, "minutes.sum_7d") == [11, 0]


def test_two_people_at_once_are_two_lengths_of_use() -> None:
    facts = told(1, TWO[:2], login=(Did(0, 0, 0, 0), Did(0, 1, 0, 1), Did(0, 0, 0, 3), Did(0, 1, 0, 5)))
    assert seen(CATALOG, facts, "minutes") == [7]


def test_people_of_a_span_are_counted_once_however_often_they_come() -> None:
    """S3-24: the sum of daily counts would be 3."""
    facts = told(2, TWO, login=(Did(0, 0, 0), Did(0, 0, 9), Did(0, 1, 29), Did(0, 1, 30)))
    assert seen(CATALOG, facts, "month") == [2, 0]
    assert seen(CATALOG, facts, "month.ago_30d") == [1, 0]


def answers(*scores: float) -> tuple[Did, ...]:
    """One answer of one person each."""
    return tuple(Did(0, at, 1, fields={"score": score}) for at, score in enumerate(scores))


MANY = tuple((0, {"user"}) for _ in range(10))


def test_nps_is_the_share_of_promoters_less_that_of_detractors() -> None:
    """S2-24, S3-34: four of ten promote, three detract (0 is an answer), three are passive: 40 - 30."""
    facts = told(1, MANY, answered=answers(9, 9, 10, 10, 7, 8, 8, 0, 5, 6))
    assert seen(CATALOG, facts, "nps") == [10]


def test_csat_counts_fours_and_fives_and_ces_fives_to_sevens() -> None:
    """S2-23."""
    facts = told(1, MANY, answered=answers(5, 4, 3, 1))
    assert seen(CATALOG, facts, "csat") == [0.5]
    effort = told(1, MANY, answered=answers(7, 5, 4, 2))
    assert seen(CATALOG, effort, "ces") == [50]
    assert seen(CATALOG, effort, "ces_mean") == [4.5]


def test_of_each_person_the_latest_valid_answer_counts() -> None:
    changed = (
        Did(0, 0, 9, fields={"score": 2}), Did(0, 0, 1, fields={"score": 10}),
        Did(0, 1, 1, fields={"score": 11}), Did(0, 1, 5, fields={"score": 9}),
    )  # fmt: skip
    assert seen(CATALOG, told(1, MANY, answered=changed), "nps") == [100]
    nobody = (Did(0, -1, 1, fields={"score": 10}), Did(0, -1, 1, fields={"score": 0}))
    assert seen(CATALOG, told(1, MANY, answered=nobody), "nps") == [0], "who is not named is a person of their own"
    assert seen(CATALOG, told(1, MANY), "nps") == [None]


def test_a_rate_is_answers_per_invitation_and_unknown_without_any() -> None:
    """S0-54."""
    facts = told(2, MANY, sent=tuple(Did(0, at, 20) for at in range(4)), answered=answers(9))
    assert seen(CATALOG, facts, "rate") == [0.25, None]


def ticket(
    account: int, number: str, opened: int, resolved: int | None = None
) -> tuple[tuple[Did, ...], tuple[Did, ...]]:
    """A ticket opened and resolved so many days ago."""
    name = {"ticket": number}
    return (Did(account, -1, opened, fields={**name, "severity": 3}),), (
        (Did(account, -1, resolved, fields=name),) if resolved is not None else ()
    )


def test_resolved_in_time_late_and_not_at_all_are_three_values() -> None:
    """S0-39, S1-27."""
    tickets = [ticket(0, "a", 10, 9), ticket(1, "a", 10, 4), ticket(2, "b", 10)]
    facts = told(
        3,
        opened=tuple(each for one, _ in tickets for each in one),
        resolved=tuple(e for _, two in tickets for e in two),
    )
    assert seen(CATALOG, facts, "hours") == [24, 144, 11 * 24]
    assert seen(CATALOG, facts, "in_time") == [1, 0, 0]
    assert seen(CATALOG, facts, "still_open") == [0, 0, 1]
    assert seen(CATALOG, facts, "severe") == [1, 1, 1]
    assert seen(CATALOG, facts, "still_open.ago_5d") == [0, 1, 1]


def test_the_median_and_the_tickets_of_which_nothing_can_be_said_yet() -> None:
    tickets = [ticket(0, "a", 10, 9), ticket(0, "b", 8, 5), ticket(0, "c", 0)]
    facts = told(
        1,
        opened=tuple(each for one, _ in tickets for each in one),
        resolved=tuple(e for _, two in tickets for e in two),
    )
    assert seen(CATALOG, facts, "hours") == [24], "24, 24 so far, 72"
    assert seen(CATALOG, facts, "in_time") == [0.5], "the third still has time"


def test_depth_is_the_share_of_the_declared_key_features() -> None:
    """S3-25, S3-26, S0-32."""
    used = (Did(0, 0, 3, fields={"feature": "reports"}), Did(0, 0, 2, fields={"feature": "reports"}))
    facts = told(2, TWO, used=(*used, Did(0, 0, 1, fields={"feature": "theme"})))
    assert seen(CATALOG, facts, "depth") == [0.5, 0]
    assert seen(CATALOG, facts, "feature.reports.sum_30d") == [2, 0]
    assert seen(CATALOG, facts, "feature.export.sum_30d") == [0, 0]


def test_amounts_are_summed_and_the_largest_and_last_are_taken() -> None:
    """S1-05."""
    bills = (
        Did(0, -1, 40, fields={"amount": 99.5, "overdue": True}),
        Did(0, -1, 5, fields={"amount": 20.25, "overdue": True}),
        Did(0, -1, 1, fields={"amount": 500.0, "overdue": False}),
    )  # fmt: skip
    notes = (Did(0, -1, 9, fields={"theme": "price"}), Did(0, -1, 3, fields={"theme": "speed"}))
    facts = told(2, invoice=bills, noted=notes)
    assert seen(CATALOG, facts, "overdue.sum_90d") == [119.75, 0]
    assert seen(CATALOG, facts, "largest") == [500, None]
    assert seen(CATALOG, facts, "theme") == ["speed", None]
    assert seen(CATALOG, facts, "theme.days_since") == [3, None]
    assert seen(CATALOG, facts, "theme.ago_5d") == ["price", None]


def test_high_and_wide_is_whom_we_reach() -> None:
    """S4-49, S4-50, S4-51, S1-03."""
    people = ((0, {"champion"}), (0, {"user"}), (1, {"sponsor"}), (2, {"sponsor"}))
    fields = {
        "department": p.texts("finance", "it", None, "it"),
        "seniority": p.texts("manager", "director", None, "staff"),
    }
    facts = told(4, people, fields, met=(Did(0, 0, 10), Did(0, 1, 20), Did(1, 2, 5), Did(2, 3, 100)))
    assert seen(CATALOG, facts, "departments") == [2, None, 0, 0]
    assert seen(CATALOG, facts, "seniority") == [3, None, 0, 0]
    assert seen(CATALOG, facts, "reached") == [0.5, 0.5, 0, 0]
    assert seen(CATALOG, facts, "gaps") == ["sponsor", "champion", "champion, sponsor", "champion, sponsor"]


def test_of_ten_people_seven_were_ready_within_thirty_days() -> None:
    """S0-23: one was a day late, two never."""
    joined = p.numbers(*[p.AT - 60.0] * 10)
    ready = (*(Did(0, at, 60 - at) for at in range(6)), Did(0, 6, 30), Did(0, 7, 29))
    facts = told(2, MANY, {"joined_on": joined}, trained=ready)
    assert seen(CATALOG, facts, "started") == [0.7, None]
    fresh = told(1, MANY, {"joined_on": p.numbers(*[p.AT - 29.0] * 10)}, trained=ready)
    assert seen(CATALOG, fresh, "started") == [None], "nobody's thirty days are over"


def test_contacts_are_counted_by_what_is_measured_of_them() -> None:
    """S1-51, S3-23, S3-24: power users are those above a limit; who has departed does not count."""
    often = tuple(Did(0, 0, age) for age in (1, 8, 15, 15))
    facts = told(2, (*TWO, (1, {"user"})), login=(*often, Did(0, 1, 3)))
    assert seen(CATALOG, facts, "users") == [1, 1]
    assert seen(CATALOG, facts, "active") == [2, 0]
    assert seen(CATALOG, facts, "share_active") == [1, 0]
    assert seen(CATALOG, facts, "power") == [1, 0]
    assert seen(CATALOG, facts, "busiest") == [4, 0]
    assert seen(CATALOG, facts, "contact.logins.days_28d", of="contact") == [3, 1, 0, 0]
    facts.contacts.departed[0] = True
    assert seen(CATALOG, facts, "active") == [1, 0]


def test_products_are_rolled_up_as_their_metric_says() -> None:
    """S1-02."""
    products = Products(np.array([7, 8, 9]), ("base", "extra", "base"), np.array([0, 0, 1]))
    facts = replace(told(2), products=products, product_series={"speed": p.series({0: 4, 9: 10}, {1: 9}, {})})
    assert seen(CATALOG, facts, "speed") == [4, None]
    assert seen(CATALOG, facts, "speed.mean_10d") == [7, None]
    assert seen(CATALOG, facts, "speed.days_since") == [0, None]
    assert seen(CATALOG, facts, "product.speed", of="product") == [4, 9, None]
    assert seen(CATALOG, facts, "product.name", of="product") == ["base", "extra", "base"]
    assert seen(CATALOG, facts, "account.products") == [2, 1]


def test_a_metric_of_contacts_that_was_pushed_is_rolled_up_by_its_named_way() -> None:
    facts = p.facts(2, people=TWO, contact_series={"effort": p.series({0: 2, 3: 8}, {1: 4}, {})})
    assert seen(CATALOG, facts, "effort") == [3, None]
    assert seen(CATALOG, facts, "effort.change_2d") == [-0.625, None], "from 8 to the mean of 2 and 4"


def test_fields_of_a_contact_are_read_where_a_contact_is_meant() -> None:
    """S4-26."""
    fields = {"seniority": p.texts("staff", None, "director"), "joined_on": p.numbers(p.AT - 9, float("nan"), p.AT)}
    facts = told(2, TWO, fields)
    assert seen(CATALOG, facts, "contact.seniority", of="contact") == ["staff", None, "director"]
    assert seen(CATALOG, facts, "contact.days_since_joined", of="contact") == [9, None, 0]
    assert seen(CATALOG, facts, "contact.in_role.champion", of="contact") == [0, 1, 0]


EVENT = "events: {paid: {fields: {amount: number, who: text}}, shut: {fields: {who: text}}, seen: {}}\n"


@pytest.mark.parametrize(
    ("made", "kind", "said"),
    [
        ("{event: paid, take: sum}", "number", ['C022 "take: sum" needs a field']),
        ("{event: paid, field: amount}", "number", ["C022 it is not said what to take of the field"]),
        ("{event: paid, take: sum, field: price}", "number", [
            'B001 there is no field "price" that all of these events carry'
        ]),
        ("{event: paid, take: sum, field: who}", "number", ['C023 "take: sum" needs numbers, and "who" is a text']),
        ("{event: paid, take: max, field: amount}", "number", ['C018 "max" looks at the events of a span of days']),
        ("{event: paid, take: sum, field: amount, per: seen, over: 9d}", "share", [
            'C017 "take" and "per" are different ways to make a number of events'
        ]),
        ("{event: seen, per: shut}", "share", ['C018 "per" looks at the events of a span of days']),
        ("{event: paid, until: shut, over: 9d}", "number", [
            "C024 it is not said which field tells what belongs together"
        ]),
        ("{event: paid, count: hours, over: 9d}", "number", ["C024 it is not said which event resolves"]),
        ("{event: paid, until: shut, by: who, count: in time, over: 9d}", "share", [
            'C019 "in time" needs the days there are'
        ]),
        ("{event: seen, count: share of contacts, over: 9d}", "share", [
            'C019 "share of contacts" needs the days they have from joining'
        ]),
        ("{event: seen, within: 9d}", "number", ['C019 "within" belongs to "share of contacts" and "in time"']),
        ("{event: seen, count: roles, over: 9d}", "share", ['C020 "roles" needs the roles that ought to be reached']),
        ("{event: seen, count: seniority, over: 9d}", "number", [
            "C021 the catalog does not say which seniority is higher"
        ]),
        ("{event: paid, count: key features, over: 9d}", "share", [
            "C025 the catalog declares no key feature",
            'C025 the events have no text field "feature" that names the part of the product',
        ]),
        ("{event: seen, count: minutes, idle: 2h}", "number", ['C016 "idle" must be a number of minutes']),
        ("{event: seen, count: distinct contacts}", "text", [
            "C011 what it is made of is a number or share, not a text"
        ]),
        ("{event: paid, take: last, field: who, over: 9d}", "number", [
            "C011 what it is made of is a text, not a number"
        ]),
        ('{event: paid, where: {">": [{var: event.price}, 3]}}', "number", [
            'J006 there is no value "event.price" here'
        ]),
    ],
)  # fmt: skip
def test_what_does_not_go_together_is_refused(made: str, kind: str, said: list[str]) -> None:
    text = f"{EVENT}metrics: {{it: {{{SAME}, type: {kind}, from_events: {made}}}}}"
    assert problems_of(text) == said


@pytest.mark.parametrize(
    ("metric", "said"),
    [
        ("type: number, from_contacts: {at_least: 3}", ["C026 it is not said which metric of the contacts is meant"]),
        ("type: number, from_contacts: {metric: sold}", ['B001 there is no metric "sold" of contacts']),
        ("type: share, from_contacts: {metric: visits, give: share}", [
            "C026 a share of the contacts needs a limit that some of them reach"
        ]),
        ("type: number, from_contacts: {metric: mood, at_least: 3}", [
            'C027 "mood" is no number, so contacts cannot be counted by it'
        ]),
        ("type: number, across: mean", [
            'C030 "across" rolls numbers of contacts or products up into one of their account'
        ]),
        ("type: number, of: contact, from_contacts: {}", [
            "C029 what it is made of is said of an account, not of a contact"
        ]),
    ],
)  # fmt: skip
def test_metrics_of_contacts_are_refused_where_they_make_no_sense(metric: str, said: list[str]) -> None:
    more = f"visits: {{{SAME}, of: contact, type: number}}, mood: {{{SAME}, of: contact, type: text}}"
    text = f"metrics: {{sold: {{{SAME}, type: number}}, {more}, it: {{{SAME}, {metric}}}}}"
    assert problems_of(text) == said


def test_a_feature_that_is_not_declared_is_refused_in_a_condition() -> None:
    """S3-26."""
    text = f"""
events: {{used: {{fields: {{feature: text}}}}}}
features: {{reports: {{title: Reports}}}}
metrics:
  it: {{{SAME}, type: number, from_events: {{event: used, where: {{"==": [{{var: event.feature}}, report]}}}}}}
"""
    assert [said[:4] for said in problems_of(text)] == ["J009"]


def test_who_is_a_power_user_is_a_formula_over_the_contact_that_can_be_read() -> None:
    """S1-51: the label is a metric of the contact, and its formula says why somebody has it."""
    text = f"""
events: {{login: {{}}}}
metrics:
  logins: {{{SAME}, of: contact, type: number, from_events: {{event: login}}}}
  power_user: {{{SAME}, of: contact, type: boolean, formula: {{">=": [{{var: contact.logins.days_28d}}, 3]}}}}
  power_users: {{{SAME}, type: number, from_contacts: {{metric: power_user, at_least: 1}}}}
"""
    catalog = catalog_of(text)
    facts = told(1, TWO[:2], login=(*(Did(0, 0, age) for age in (1, 8, 15)), Did(0, 1, 3)))
    assert seen(catalog, facts, "contact.power_user", of="contact") == [1, 0]
    assert seen(catalog, facts, "power_users") == [1]
    formula = catalog.metrics["power_user"].formula
    assert formula is not None
    assert condition_text(catalog, formula.tree).endswith("is at least 3")


def test_a_circle_through_contacts_is_found() -> None:
    circle = f"""
metrics:
  share: {{{SAME}, type: number, from_contacts: {{metric: mine, give: mean}}}}
  mine: {{{SAME}, of: contact, type: number, formula: {{"+": [{{var: share}}, 1]}}}}
"""
    assert [said[:4] for said in problems_of(circle)] == ["B003"]


def test_an_account_s_own_fields_are_declared_to_be_read() -> None:
    """S0-22: with 20 logins expected and 15 seen, use is 0.75 of what was expected."""
    catalog = catalog_of(f"""
events: {{login: {{}}}}
account_fields: {{expected_logins: number, plan: text}}
segments: {{paying: {{"==": [{{var: account.plan}}, gold]}}}}
metrics:
  logins: {{{SAME}, type: number, from_events: {{event: login}}}}
  against: {{{SAME}, type: number, formula: {{"/": [{{var: logins.sum_30d}}, {{var: account.expected_logins}}]}}}}
""")
    logged = told(1, login=tuple(Did(0, -1, age) for age in range(15)))
    facts = replace(logged, fields={"expected_logins": p.numbers(20), "plan": p.texts("gold")})
    assert seen(catalog, facts, "against") == [0.75]
    assert seen(catalog, facts, "in_segment.paying") == [1]


NAMES = [
    "minutes.sum_30d", "month", "nps", "csat", "ces_mean", "rate", "hours", "in_time", "still_open", "severe", "depth",
    "overdue.sum_30d", "largest", "theme", "departments", "seniority", "reached", "gaps", "started", "active",
    "share_active", "power", "busiest", "month.mean_3d", "nps.change_7d",
]  # fmt: skip
FIELDS = {
    "department": p.texts("it", "finance", None, "it"),
    "seniority": p.texts("staff", None, "director", "manager"),
    "joined_on": p.numbers(p.AT - 50, p.AT - 90, p.AT - 10, p.AT - 40),
}
FOUR = ((0, {"user"}), (0, {"champion"}), (1, {"sponsor"}), (1, {"user"}))
KINDS = ["login", "answered", "sent", "opened", "resolved", "used", "met", "invoice", "noted", "trained"]
SAYS = st.fixed_dictionaries(
    {
        "score": st.integers(0, 11),
        "ticket": st.sampled_from(["a", "b"]),
        "severity": st.integers(1, 4),
        "feature": st.sampled_from(["reports", "export", "theme"]),
        "amount": st.integers(0, 9),
        "overdue": st.booleans(),
        "theme": st.sampled_from(["price", "speed"]),
    }
)
EVENTS = st.lists(
    st.tuples(st.sampled_from(KINDS), st.integers(0, 3), st.integers(0, 60), st.integers(0, 1439), SAYS), max_size=25
)
History = list[tuple[str, int, int, int, dict[str, Any]]]


def of_history(history: History, size: int = 2, *, until: int = 0) -> Facts:
    """Facts of two accounts with two people each, without what happened in the last ``until`` days."""
    events: dict[str, tuple[Did, ...]] = {}
    for kind, who, age, minute, says in history:
        if who // 2 < size and age >= until:
            fields = {name: says[name] for name in CATALOG.events[kind].fields}
            events[kind] = (*events.get(kind, ()), Did(who // 2, who, age, minute, fields))
    columns = {name: taken(column, np.arange(2 * size)) for name, column in FIELDS.items()}
    return told(size, FOUR[: 2 * size], columns, **events)


@settings(max_examples=60, deadline=None)
@given(EVENTS, st.sampled_from(NAMES), st.integers(0, 30))
def test_what_has_not_happened_yet_is_not_seen(history: History, name: str, ago: int) -> None:
    """No look-ahead: the past is the same whatever came after it."""
    then = seen(CATALOG, of_history(history), name, day=p.AT - ago)
    assert then == seen(CATALOG, of_history(history, until=ago), name, day=p.AT - ago)


@settings(max_examples=60, deadline=None)
@given(EVENTS, st.sampled_from(NAMES))
def test_one_account_is_the_same_with_and_without_the_other(history: History, name: str) -> None:
    """Incremental equals full for what is worked out from events, too."""
    assert seen(CATALOG, of_history(history), name)[:1] == seen(CATALOG, of_history(history, 1), name)


@settings(max_examples=30, deadline=None)
@given(EVENTS.flatmap(lambda found: st.tuples(st.just(found), st.permutations(found))), st.sampled_from(NAMES))
def test_the_order_in_which_events_came_does_not_matter(both: tuple[History, History], name: str) -> None:
    first, again = ([each for each in found if each[0] != "noted"] for found in both)
    assert seen(CATALOG, of_history(first), name) == seen(CATALOG, of_history(again), name)
