"""Playbooks: steps of each kind, their ids, and whom they reach."""

from typing import Final

import pytest

from engine.definitions.playbook import (
    ApproveStep,
    AskStep,
    Audience,
    BranchStep,
    CampaignStep,
    EmailStep,
    Playbook,
    ReportStep,
    Span,
    Step,
    TaskStep,
    WaitStep,
    WebhookStep,
    walk,
)
from engine.definitions.problem import Place
from tests.bad_files.workspace import BASE, PLAYBOOK, bundle_of, sentences_of, with_edit

TOP: Final = BASE[PLAYBOOK][: BASE[PLAYBOOK].index("steps:")]
HERE: Final = Place("anywhere")


def texts_of(*steps: str) -> dict[str, str]:
    return {**BASE, PLAYBOOK: TOP + "steps:\n" + "".join(f"  - {step}\n" for step in steps)}


def playbook_of(*steps: str) -> Playbook:
    return bundle_of(texts_of(*steps)).playbooks["seat-activation"]


def test_a_playbook_has_a_category_to_unsubscribe_from_and_reasons_to_end_early() -> None:
    playbook = bundle_of(BASE).playbooks["seat-activation"]
    assert (playbook.category, playbook.exit, playbook.open_tasks) == ("education", ("goal_met",), "cancel")


@pytest.mark.parametrize(
    ("written", "step"),
    [
        ('task: {title: "Call {{ account.name }}", to: owner, due: 3 working days, wait_for_done: 5d}',
         TaskStep("task", "Call {{ account.name }}", ("owner",), HERE, Span(3.0, working=True), Span(5.0))),
        ("task: {title: Call, to: ana@example.com}", TaskStep("task", "Call", ("ana@example.com",), HERE)),
        ("ask: {to: owner, questions: [happy]}", AskStep("ask", ("happy",), ("owner",), HERE)),
        ("email: {to: champion, message: hello}", EmailStep("email-hello", Audience("champion"), "hello", HERE)),
        ("email: {to: signal.unhappy, message: hello}",
         EmailStep("email-hello", Audience(signal="unhappy"), "hello", HERE)),
        ("email: {to: {role: user, idle_for: 14d}, message: hello}",
         EmailStep("email-hello", Audience("user", 14), "hello", HERE)),
        ("{id: first, email: {to: user, message: hello}}", EmailStep("first", Audience("user"), "hello", HERE)),
        ("campaign: {to: user, every: 36h, lessons: [hello, first-plan]}",
         CampaignStep("campaign", Audience("user"), Span(1.5), ("hello", "first-plan"), HERE)),
        ("wait: 3d", WaitStep("wait", Span(3.0), HERE)),
        ("wait: {at_most: 2 working days}", WaitStep("wait", Span(2.0, working=True), HERE)),
        ("approve: {by: owner, expires: 1 working day, on_expiry: skip, steps: [{task: {title: Go, to: owner}}]}",
         ApproveStep(
             "approve", ("owner",), (TaskStep("task", "Go", ("owner",), HERE),), Span(1.0, working=True), "skip", HERE
         )),
        ("report: {use: quarterly, share_with: champion, expires: 30d}",
         ReportStep("report-quarterly", "quarterly", "champion", 30, HERE)),
        ('webhook: {to: crm, body: {account: "{{ account.key }}"}}',
         WebhookStep("webhook-crm", "crm", {"account": "{{ account.key }}"}, HERE)),
    ],
)  # fmt: skip
def test_a_step_is_read_as_it_is_written(written: str, step: Step) -> None:
    assert playbook_of(written).steps == (step,)


def test_a_branch_has_three_ways() -> None:
    (step,) = playbook_of(
        "branch: {if: {var: in_segment.enterprise}, then: [{wait: 1d}], else: [{wait: 2d}], unknown: [{wait: 3d}]}"
    ).steps
    assert isinstance(step, BranchStep)
    assert step.condition.names == {"in_segment.enterprise"}
    days = [arm.at_most.days for arm in walk((*step.then, *step.otherwise, *step.unknown)) if isinstance(arm, WaitStep)]
    assert days == [1.0, 2.0, 3.0]


def test_a_campaign_stops_for_a_contact_by_what_the_contact_does() -> None:
    steps = bundle_of(BASE).playbooks["seat-activation"].steps
    (campaign,) = [step for step in steps if isinstance(step, CampaignStep)]
    assert campaign.stop_when is not None
    assert campaign.stop_when.names == {"contact.logins.sum_7d"}


def test_ids_are_unique_and_never_one_that_the_author_gave() -> None:
    email = "email: {to: user, message: hello}"
    playbook = playbook_of("wait: 1d", "wait: 2d", "{id: wait-2, wait: 3d}", email, "wait: 4d")
    assert [step.id for step in playbook.steps] == ["wait", "wait-3", "wait-2", "email-hello", "wait-4"]


@pytest.mark.parametrize(
    ("steps", "sentences"),
    [
        (["just words"], ["P010 a step is a kind with its details"]),
        (["email: {message: hello}"], ['P001 a step "email" needs "to"']),
        (["email: {to: boss, message: hello}"], ['B001 there is no role "boss"']),
        (["campaign: {to: user, every: 1d, lessons: []}"], ["P011 a campaign needs at least one lesson"]),
        (["ask: {to: owner, questions: []}"], ["P011 there is no question to ask"]),
        (["wait: 20 years"], ['P002 "wait" must be a length of time, not "20 years"']),
        (["wait: {until: {var: in_segment.enterprise}, at_most: 4000d}"],
         ['P005 "at_most" must be more than nothing and at most 3650 days, not "4000d"']),
        (["branch: {if: {var: in_segment.big}, then: [{wait: 1d}]}"],
         ['J006 there is no value "in_segment.big" here']),
        (["branch: {if: {var: in_segment.enterprise}, then: []}"], ["P011 a branch needs at least one step"]),
        (["report: {use: quarterly, share_with: champion, expires: 365d}"],
         ["P005 a link to a report is good for at most 90 days"]),
        (["approve: {by: boss, expires: 1d, steps: [{wait: 1d}]}"],
         ['P014 "boss" is not a member',
          "P015 an approval covers what can be shown when it opens: no waits, branches or approvals inside"]),
        (['task: {title: "{{ account.name", to: owner}'],
         ["M010 this template cannot be read: unexpected end of template, expected 'end of print statement'."]),
        (["wait: 1d"] * 201, ["P012 a playbook has at most 200 steps, this one has 201"]),
    ],
)  # fmt: skip
def test_a_playbook_refuses(steps: list[str], sentences: list[str]) -> None:
    assert sorted(sentences_of(texts_of(*steps))) == sorted(sentences)


def test_a_playbook_needs_steps() -> None:
    assert sentences_of({**BASE, PLAYBOOK: TOP + "steps: []\n"}) == ["P011 a playbook needs at least one step"]
    assert sentences_of({**BASE, PLAYBOOK: TOP}) == ['P001 a playbook needs "steps"']
    assert sentences_of(with_edit(PLAYBOOK, "exit: [goal_met]", "exit: [goal_reached]")) == [
        'P003 "exit" must be goal_met, signal_cleared or unsubscribed, not "goal_reached"'
    ]
