"""Examples of rules: a tiny history in words."""

from typing import Final

import pytest

from engine.definitions.rule import Example, ExampleEvent, ExampleGoal
from tests.bad_files.workspace import BASE, RULE, bundle_of, sentences_of

TOP: Final = BASE[RULE][: BASE[RULE].index("examples:")]


def texts_of(given: str) -> dict[str, str]:
    return {**BASE, RULE: f"{TOP}examples:\n  - name: it\n    then: clear\n    given: {given}\n"}


def example_of(given: str) -> Example:
    (example,) = bundle_of(texts_of(given)).rules["seats-unused"].examples
    return example


def test_a_plain_value_is_todays() -> None:
    example = example_of(
        "{seats_sold: 100, utilization: 30%, account.stage: churned, account.onboarded_on: 2026-01-01}"
    )
    assert example.given == {
        "seats_sold": {0: 100.0},
        "utilization": {0: 0.3},
        "account.stage": {0: "churned"},
        "account.onboarded_on": {0: "2026-01-01"},
    }
    assert (example.name, example.then) == ("it", "clear")


def test_a_row_of_days_ends_today() -> None:
    assert example_of("{active_users: {last 3d: 30}}").given["active_users"] == {0: 30.0, 1: 30.0, 2: 30.0}


def test_of_two_rows_over_a_day_the_shorter_says_what_it_was() -> None:
    history = example_of("{active_users: {last 2d: 25, last 4d: 40, 1d ago: 7, 9d ago: 5, today: 3}}")
    assert history.given["active_users"] == {0: 3.0, 1: 7.0, 2: 40.0, 3: 40.0, 9: 5.0}


def test_events_stand_among_the_values_with_who_and_what() -> None:
    example = example_of("{login: [3d ago, 5d ago], survey_answered: {2d ago: {nps: 4, role: user}, 9d ago: champion}}")
    assert example.happened == (
        ExampleEvent("login", 3),
        ExampleEvent("login", 5),
        ExampleEvent("survey_answered", 2, "user", {"nps": 4.0}),
        ExampleEvent("survey_answered", 9, "champion"),
    )
    assert example.events == {"login": (3, 5), "survey_answered": (2, 9)}
    assert example.given == {}


def test_what_a_score_or_another_rule_says_can_be_given() -> None:
    example = example_of("{score.health: 40, tier.health.previous: doing_well, signal.seats-unused.unhappy: true}")
    assert example.given["score.health"] == {0: 40.0}
    assert example.given["signal.seats-unused.unhappy"] == {0: True}


def agreed(goal: str) -> dict[str, str]:
    texts = texts_of("{active_users: 3}")
    return {**texts, RULE: texts[RULE] + f"    agreed: {{{goal}}}\n"}


def test_what_the_account_has_agreed_stands_beside_it() -> None:
    written = "more_users: {target: 90, at_start: 30, start: 60d ago, within: 180d}"
    (example,) = bundle_of(agreed(written)).rules["seats-unused"].examples
    assert example.agreed == (ExampleGoal("more_users", 90.0, 60, 180, 30.0),)


@pytest.mark.parametrize(
    ("goal", "sentences"),
    [
        ("more: {target: 90, start: 60d ago, within: 9d}", ['B001 there is no goal "more"']),
        ("more_users: {target: 90%, start: 60d ago, within: 9d}",
         ['R002 "target" must be a number, not the share "90%"']),
        ("more_users: {target: 9, start: last 60d, within: 9d}", ["R041 a goal starts on one day"]),
        ("more_users: {start: 60d ago}", ['R001 the goal "more_users" needs "target" and "within"']),
    ],
)  # fmt: skip
def test_an_agreed_goal_refuses(goal: str, sentences: list[str]) -> None:
    assert sentences_of(agreed(goal)) == sentences


@pytest.mark.parametrize(
    ("given", "sentences"),
    [
        ("{active_users: [30]}", ['R040 "active_users" must be a value, or values by day']),
        ("{active_users: {yesterday: 30}}", ['R041 "yesterday" is no day or row of days']),
        ("{active_users: {last 0d: 30}}", ['R041 "last 0d" is no day or row of days']),
        ("{active_users: many}", ['R042 "active_users" is a number, and "many" is not']),
        ("{account.onboarded_on: 3}", ['R042 "account.onboarded_on" is a date, and "3" is not']),
        ("{login: {3d ago: boss}}", ['B001 there is no role "boss"']),
        ("{survey_answered: {3d ago: {nsp: 3}}}", ['B001 the event "survey_answered" has no field "nsp"']),
        ("{logn: 3d ago}", ['B001 there is no metric, event or value "logn"']),
        ("{login: {3d ago: [user]}}", ['R040 "login" must be told as a role or as fields']),
    ],
)
def test_an_example_refuses(given: str, sentences: list[str]) -> None:
    assert sentences_of(texts_of(given)) == sentences


def test_metrics_of_contacts_are_told_by_who_they_are() -> None:
    example = example_of("{logins: {user: {last 2d: 3}, champion 2: 1}}")
    assert example.people == {"logins": {"user": {0: 3.0, 1: 3.0}, "champion 2": {0: 1.0}}}
    assert example.given == {}
    assert example_of("{logins: {last 2d: 3}}").people == {"logins": {"somebody": {0: 3.0, 1: 3.0}}}


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ("{logins: {user: 3, boss: 4}}", 'B001 there is no contact "boss" in an example'),
        ("{logins: {user: many}}", 'R042 "logins" is a number, and "many" is not'),
        ("{logins: {user: {yesterday: 4}}}", 'R041 "yesterday" is no day or row of days'),
    ],
)
def test_a_person_who_is_told_wrongly_is_refused(given: str, sentence: str) -> None:
    assert sentences_of(texts_of(given)) == [sentence]
