"""What a transaction remembers ends with it."""

from sqlalchemy.orm import Session

from engine.store.remembering import remembered
from engine.store.sessions import Store


def test_what_is_remembered_is_there_for_the_rest_of_the_transaction_and_no_longer(sqlite_store: Store) -> None:
    with sqlite_store.begin() as session:
        remembered(session, "steps")["a"] = 1
        assert remembered(session, "steps") == {"a": 1}
        assert remembered(session, "runs") == {}
    with Session(sqlite_store.engine) as session:
        assert remembered(session, "steps") == {}, "nothing is kept where no transaction has begun"
        for _ in range(2):
            with session.begin():
                assert remembered(session, "steps") == {}
                remembered(session, "steps")["a"] = 1


def test_a_part_of_a_transaction_that_is_undone_takes_what_it_remembered_along(sqlite_store: Store) -> None:
    with sqlite_store.begin() as session:
        remembered(session, "steps")["a"] = 1
        with session.begin_nested() as part:
            assert remembered(session, "steps") == {}
            remembered(session, "steps")["b"] = 2
            part.rollback()
        assert remembered(session, "steps") == {"a": 1}
