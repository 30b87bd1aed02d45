"""What a person can do to a run where it stands, and the sentence when it cannot be done."""

import pytest

from engine.running.lines import Line
from tests.workflows.standings import TWO_ROWS, Played
from workflows.payloads import Act


def both_open() -> Played:
    played = Played.of(TWO_ROWS)
    played.later(1)
    return played


def at_last() -> Played:
    played = both_open()
    played.tell(Act(1, "approve", "yes"))
    played.later(5)
    assert played.stands == {"last"}
    return played


@pytest.mark.parametrize(
    ("act", "why"),
    [
        (Act(1, "dance"), 'there is no act "dance"'),
        (Act(1, "approve", "first"), 'the run does not stand at the approval "first"'),
        (Act(1, "resume"), "the run is not paused"),
        (Act(1, "retry"), "nothing in the run has failed"),
        (Act(1, "skip", "before"), 'the step "before" is not ahead of this run'),
        (Act(1, "skip", "nowhere"), 'the step "nowhere" is not ahead of this run'),
        (Act(1, "skip"), "the run stands at several steps: say which one to skip"),
        (Act(1, "jump", "nowhere"), 'there is no step "nowhere" in this run'),
        (Act(1, "jump", "both/joined"), 'there is no step "both/joined" in this run'),
        (Act(1, "jump", "last"), 'the step "last" is not behind this run: only steps behind it can be done again'),
    ],
)
def test_an_act_that_cannot_take_effect_is_refused_with_why(act: Act, why: str) -> None:
    assert both_open().tell(act) == why


def test_what_is_over_is_over() -> None:
    played = both_open()
    played.state.kept[""] = "cancelled"
    assert played.tell(Act(1, "pause")) == "the run is being cancelled"
    played.go()
    assert played.tell(Act(2, "pause")) == "the run has ended"


def test_a_run_is_paused_once() -> None:
    played = both_open()
    assert not played.tell(Act(1, "pause"))
    assert played.tell(Act(2, "pause")) == "the run is already paused"


def test_a_step_in_a_row_that_is_through_or_a_fork_that_is_open_is_not_ahead() -> None:
    played = both_open()
    assert not played.tell(Act(1, "skip", "call/wait"))
    assert "call/wait" not in played.stands
    assert played.tell(Act(2, "skip", "call")) == 'the step "call" is not ahead of this run'
    assert played.tell(Act(3, "skip", "mail")) == ""
    assert played.tell(Act(4, "skip", "mail")) == 'the step "mail" is already skipped'


def test_a_step_in_a_fork_that_is_ahead_can_be_skipped() -> None:
    played = Played.of(TWO_ROWS)
    assert played.tell(Act(1, "skip", "call")) == ""
    assert played.tell(Act(2, "skip", "last")) == ""


def test_going_back_in_one_row_leaves_the_other_alone() -> None:
    played = both_open()
    assert not played.tell(Act(1, "jump", "call"))
    assert played.stands == {"both", "call/wait#2", "yes"}
    assert played.done == ["before", "call", "call#2"]


def test_going_back_over_an_open_fork_gives_its_rows_up_and_opens_them_anew() -> None:
    played = both_open()
    assert not played.tell(Act(1, "jump", "before"))
    assert played.stands == {"first#2"}
    played.later(1)
    assert played.stands == {"both#2", "call/wait#2", "yes#2"}
    assert len(played.state.strands) == 3


def test_going_back_into_rows_that_are_through_is_refused_and_over_them_is_not() -> None:
    played = at_last()
    why = 'the step "call" belongs to steps beside each other that are not at work now'
    assert played.tell(Act(1, "jump", "call")) == why
    assert played.tell(Act(2, "jump", "both")) == ""
    assert played.stands == {"both#2", "call/wait#2", "yes#2"}


def test_a_step_is_found_by_the_name_it_had_at_first_however_often_it_was_done() -> None:
    played = both_open()
    for count in (2, 3, 4):
        assert played.tell(Act(count, "jump", "call")) == ""
        assert f"call/wait#{count}" in played.stands
    assert played.tell(Act(5, "jump", "call#2")) == ""
    assert "call/wait#5" in played.stands


def test_a_message_is_sent_again_only_when_that_is_what_was_wanted() -> None:
    played = at_last()
    played.tell(Act(1, "jump", "both"))
    played.tell(Act(2, "approve", "yes#2"))
    assert played.done.count("mail") == 2
    assert "mail#2" not in played.done
    played.later(5)
    played.tell(Act(3, "jump", "both", sends=True))
    played.tell(Act(4, "approve", "yes#3"))
    assert "mail#2" in played.done


def test_what_was_approved_with_others_is_only_sent_again_through_its_approval() -> None:
    played = Played.of(
        [
            Line("gate", "yes", target=2, days=2),
            Line("email", "mail", outward=True),
            Line("wait", "last", days=3),
            Line("end", "end"),
        ]
    )
    played.tell(Act(1, "approve", "yes"))
    refused = played.tell(Act(2, "jump", "mail", sends=True))
    assert refused == 'the step "mail" was approved with others: to send it again, go back to the approval'
    assert played.tell(Act(3, "jump", "yes", sends=True)) == ""
    assert played.stands == {"yes#2"}
    played.tell(Act(4, "approve", "yes#2"))
    assert played.done == ["mail", "mail#2"]


def test_going_back_to_the_line_where_it_stands_begins_it_anew() -> None:
    played = at_last()
    played.later(2)
    assert played.tell(Act(1, "jump", "last")) == ""
    assert played.stands == {"last#2"}
    played.later(2)
    assert played.stands == {"last#2"}


def test_going_back_to_a_step_inside_an_approval_sends_nothing_again() -> None:
    played = Played.of(
        [
            Line("gate", "yes", target=4, days=2),
            Line("task", "call"),
            Line("email", "mail", outward=True),
            Line("wait", "quiet", days=3),
            Line("end", "end"),
        ]
    )
    played.tell(Act(1, "approve", "yes"))
    assert played.tell(Act(2, "jump", "call")) == ""
    assert played.done == ["call", "mail", "call#2", "mail"]


def test_an_approval_is_taken_while_the_stretch_that_leads_to_it_is_at_work() -> None:
    played = both_open()
    played.state.busy = True
    assert played.tell(Act(1, "approve", "call")) == 'the run does not stand at the approval "call"'
    assert played.tell(Act(2, "approve", "yes")) == ""
