"""The unsubscribe link's token."""

from hypothesis import given, strategies as st

from workflows.channels.unsubscribing import link, make_token, read_token

KEY = b"k" * 32


@given(address=st.emails(), category=st.sampled_from(["education", "review", "survey", "news", "operational"]))
def test_a_token_says_who_and_which_category(address: str, category: str) -> None:
    assert read_token(KEY, make_token(KEY, address, category)) == (address, category)


@given(token=st.text(max_size=200))
def test_what_is_not_ours_is_read_as_nothing(token: str) -> None:
    assert read_token(KEY, token) is None


def test_one_changed_letter_or_another_key_makes_it_worthless() -> None:
    token = make_token(KEY, "ann@customer.example", "news")
    assert read_token(b"o" * 32, token) is None
    for place in range(len(token)):
        other = "A" if token[place] != "A" else "B"
        changed = token[:place] + other + token[place + 1 :]
        assert read_token(KEY, changed) is None or read_token(KEY, changed) == ("ann@customer.example", "news")


def test_the_link_leads_to_the_page_that_unsubscribes() -> None:
    assert link("https://cs.example.com/", "abc") == "https://cs.example.com/u/abc"
