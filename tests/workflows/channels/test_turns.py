"""A receiver that is slow takes its share of the threads and no more."""

from workflows.channels.turns import BESIDE, LONGEST, SOON, Turns


class Clock:
    """Moves when it is told to."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_beyond_its_share_a_receiver_is_not_called_and_others_are() -> None:
    turns = Turns()
    assert [turns.take("slow") for _ in range(BESIDE)] == [0.0] * BESIDE
    assert turns.take("slow") == SOON
    assert turns.take("other") == 0.0
    turns.give_back("slow", turns.clock())
    assert turns.take("slow") == 0.0


def test_the_more_wait_and_the_slower_it_is_the_later_they_ask_again() -> None:
    clock = Clock()
    turns = Turns(clock)
    for _ in range(50):
        assert turns.take("slow") == 0.0
        clock.now += 20.0
        turns.give_back("slow", clock.now - 20.0)
    for _ in range(BESIDE):
        turns.take("slow")
    waits = [turns.take("slow") for _ in range(10_000)]
    assert waits == sorted(waits)
    assert waits[0] == SOON
    assert 75 < waits[99] < 85, "a hundred calls of twenty seconds, twenty-five at a time"
    assert waits[-1] == LONGEST


def test_a_turn_is_given_back_once_for_each_that_was_taken() -> None:
    turns = Turns()
    for _ in range(3 * BESIDE):
        assert turns.take("crm") == 0.0
        turns.give_back("crm", turns.clock())
    assert [turns.take("crm") for _ in range(BESIDE)] == [0.0] * BESIDE
