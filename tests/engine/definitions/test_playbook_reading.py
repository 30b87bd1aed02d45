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
    Escalation,
    NotifyStep,
    ParallelStep,
    Playbook,
    ReEntry,
    ReportStep,
    SetStep,
    Span,
    Step,
    TaskStep,
    WaitStep,
    WebhookStep,
    walk,
)
from engine.definitions.problem import Place
from tests.bad_files.workspace import BASE, PLAYBOOK, bundle_of, notes_of, sentences_of, with_edit

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
        (("task: {title: Call, to: [renewal_owner, owner], outcomes: [reached, no_answer], causes: [needs_training], "
         "checklist: [Look at the tickets], due: 3d, remind: 1 working day, escalate: {after: 2d}}"),
         TaskStep("task", "Call", ("renewal_owner", "owner"), HERE, Span(3.0), None, ("reached", "no_answer"),
                  ("needs_training",), ("Look at the tickets",), Span(1.0, working=True),
                  Escalation(Span(2.0), "manager"))),
        ("task: {title: Call, to: manager, causes: all}",
         TaskStep("task", "Call", ("manager",), HERE, causes=("not_set_up", "needs_training"))),
        ("ask: {to: owner, questions: [happy], due: 2d, remind: 1d, escalate: {after: 3d, to: ana@example.com}}",
         AskStep("ask", ("happy",), ("owner",), HERE, Span(2.0), None, Span(1.0),
                 Escalation(Span(3.0), "ana@example.com"))),
        ("ask: {to: owner, questions: [happy]}", AskStep("ask", ("happy",), ("owner",), HERE)),
        ("email: {to: champion, message: hello}", EmailStep("email-hello", Audience("champion"), "hello", HERE)),
        (("email: {to: champion, message: hello, sender: company, copy_owner: true, max_lateness: 2d, "
         "on_ambiguous: treat_as_sent}"),
         EmailStep("email-hello", Audience("champion"), "hello", HERE, "company", True, Span(2.0), "treat_as_sent")),
        ("email: {to: respondent, message: hello}",
         EmailStep("email-hello", Audience(respondent=True), "hello", HERE)),
        ("email: {to: signal.unhappy, message: hello}",
         EmailStep("email-hello", Audience(signal="unhappy"), "hello", HERE)),
        ("email: {to: {role: user, idle_for: 14d}, message: hello}",
         EmailStep("email-hello", Audience("user", 14), "hello", HERE)),
        ("{id: first, email: {to: user, message: hello}}", EmailStep("first", Audience("user"), "hello", HERE)),
        ("campaign: {to: user, every: 36h, lessons: [hello, first-plan]}",
         CampaignStep("campaign", Audience("user"), Span(1.5), ("hello", "first-plan"), HERE)),
        ("wait: 3d", WaitStep("wait", Span(3.0), HERE)),
        ("wait: {at_most: 2 working days}", WaitStep("wait", Span(2.0, working=True), HERE)),
        ("wait: 4 working hours", WaitStep("wait", Span(0.5, working=True), HERE)),
        ("wait: {until_date: account.renewal_on, before: 30d, at_most: 200d}",
         WaitStep("wait", Span(200.0), HERE, None, "account.renewal_on", Span(30.0))),
        ("wait: {event: survey_answered, at_most: 7d}", WaitStep("wait", Span(7.0), HERE, event="survey_answered")),
        ("parallel: [[{wait: 1d}], [{wait: 2d}, {wait: 3d}]]",
         ParallelStep("parallel", (
             (WaitStep("wait", Span(1.0), HERE),),
             (WaitStep("wait-2", Span(2.0), HERE), WaitStep("wait-3", Span(3.0), HERE)),
         ), HERE)),
        (("approve: {by: [renewal_owner, owner], expires: 4 working hours, on_expiry: go, remind: 2 working hours, "
         "escalate: {after: 3 working hours}, steps: [{set: {stage: adoption}}]}"),
         ApproveStep(
             "approve", ("renewal_owner", "owner"), (SetStep("set-stage", "stage", "adoption", HERE),),
             Span(0.5, working=True), "go", HERE, Span(0.25, working=True),
             Escalation(Span(0.375, working=True), "manager"),
         )),
        ("approve: {by: owner, expires: 1 working day, on_expiry: skip, steps: [{task: {title: Go, to: owner}}]}",
         ApproveStep(
             "approve", ("owner",), (TaskStep("task", "Go", ("owner",), HERE),), Span(1.0, working=True), "skip", HERE
         )),
        ("report: {use: quarterly, share_with: champion, expires: 30d}",
         ReportStep("report-quarterly", "quarterly", "champion", 30, HERE)),
        ('webhook: {to: crm, body: {account: "{{ account.key }}"}}',
         WebhookStep("webhook-crm", "crm", {"account": "{{ account.key }}"}, HERE)),
        ("guide: {to: in-app, audience: {role: user, idle_for: 14d}, body: {tour: seats}}",
         WebhookStep("guide-in-app", "in-app", {"tour": "seats"}, HERE, "guide", Audience("user", 14))),
        ("note: {to: crm, body: {text: Started}}",
         WebhookStep("note-crm", "crm", {"text": "Started"}, HERE, "note")),
        ('notify: {to: [team-chat, owner], text: "Look at {{ account.name }}"}',
         NotifyStep("notify", ("team-chat", "owner"), "Look at {{ account.name }}", HERE)),
        ("set: {at_risk: true}", SetStep("set-at_risk", "at_risk", True, HERE)),
        ("set: {country: NO}", SetStep("set-country", "country", "NO", HERE)),
    ],
)  # fmt: skip
def test_a_step_is_read_as_it_is_written(written: str, step: Step) -> None:
    assert playbook_of(written).steps == (step,)


@pytest.mark.parametrize(
    ("written", "found"),
    [
        ("each_match", ReEntry()),
        ("never", ReEntry(at_most=1)),
        ("{at_most: 3}", ReEntry(at_most=3)),
        ("{at_most: 2, per: 365d, min_gap: 30d}", ReEntry(2, 365, 30)),
        ("{min_gap: 90d}", ReEntry(min_gap=90)),
    ],
)
def test_how_often_an_account_comes_back_is_chosen(written: str, found: ReEntry) -> None:
    """D.2: never, each match, so many in all or in a time, with a gap between."""
    assert (
        bundle_of(with_edit(PLAYBOOK, "exit: [goal_met]", f"re_entry: {written}")).playbooks["seat-activation"].re_entry
        == found
    )


def test_a_playbook_says_when_it_ends_and_what_goes_first() -> None:
    """D.2: ended by another playbook or by time; its open tasks handed over."""
    top = "exit: [goal_met, signal_cleared, unsubscribed]\non_exit: {open_tasks: hand_over}\nmax_duration: 90d"
    text = with_edit(PLAYBOOK, "exit: [goal_met]", f"{top}\nsuperseded_by: [later]\npriority: save")
    later = "format: 1\nplaybook: later\ntitle: Later\ncategory: review\nsteps: [{wait: 1d}]\n"
    found = bundle_of({**text, "playbooks/later.yaml": later}).playbooks["seat-activation"]
    assert (found.exit, found.open_tasks) == (("goal_met", "signal_cleared", "unsubscribed"), "hand_over")
    assert (found.superseded_by, found.max_duration, found.priority) == (("later",), 90, "save")


def test_a_wait_that_outlives_its_run_is_noted() -> None:
    wait = '  - wait: {until: {">=": [{var: utilization}, 50%]}, at_most: 7d}'
    longer = with_edit(PLAYBOOK, wait, "  - wait: {until_date: account.renewal_on, at_most: 200d}")
    assert notes_of(longer) == []
    assert notes_of(with_edit(PLAYBOOK, "exit: [goal_met]", "max_duration: 90d", longer)) == [
        "a run of this playbook ends after 90 days, and this may wait for longer: raise max_duration, or lower at_most"
    ]


def test_what_an_event_must_say_is_a_condition_on_the_event() -> None:
    (step,) = playbook_of('wait: {event: survey_answered, where: {">": [{var: event.nps}, 8]}, at_most: 7d}').steps
    assert isinstance(step, WaitStep)
    assert step.where is not None
    assert step.where.names == {"event.nps"}


def test_a_thousand_playbooks_may_follow_one_another() -> None:
    """A chain of successors is walked without recursion."""
    page = "format: 1\nplaybook: p{0}\ntitle: P\ncategory: review\n{1}steps: [{{wait: 1d}}]\n"
    many = {
        f"playbooks/p{at}.yaml": page.format(at, f"superseded_by: [p{at + 1}]\n" if at < 1_200 else "")
        for at in range(1_201)
    }
    assert sentences_of({**BASE, **many}) == []


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
         ['M010 this "{{" is never closed']),
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
