"""A difference is what a reviewer reads: every line that went and came, nothing else."""

from hypothesis import given, strategies as st

from engine.definitions.differing import differences

FILES = st.dictionaries(
    st.sampled_from(["rules/a.yaml", "rules/b.yaml", "playbooks/c.yaml"]),
    st.lists(st.sampled_from(["one", "two", "", "three: 3"]), max_size=6).map("\n".join),
    max_size=3,
)


def test_files_that_came_went_and_changed_are_told_apart() -> None:
    found = differences({"a": "1\n", "b": "1\n2\n"}, {"b": "1\n3\n", "c": "4\n"})
    assert [(file.path, file.kind, file.added, file.removed) for file in found] == [
        ("a", "removed", 0, 1),
        ("b", "changed", 1, 1),
        ("c", "added", 1, 0),
    ]
    assert found[1].lines == ("--- a/b", "+++ b/b", "@@ -1,2 +1,2 @@", " 1", "-2", "+3")
    assert found[0].lines[1] == "+++ /dev/null"


def test_a_missing_last_line_end_and_a_carriage_return_can_be_seen() -> None:
    (end,) = differences({"a": "1\n"}, {"a": "1"})
    assert "+1  (no newline at the end)" in end.lines
    (carriage,) = differences({"a": "1\n"}, {"a": "1\r\n"})
    assert "+1␍" in carriage.lines


@given(FILES, FILES)
def test_only_what_differs_is_named_and_the_lines_add_up(before: dict[str, str], after: dict[str, str]) -> None:
    found = differences(before, after)
    assert {file.path for file in found} == {path for path in {*before, *after} if before.get(path) != after.get(path)}
    assert differences(before, before) == ()
    for file in found:
        back = {path: text for path, text in after.items() if path == file.path}
        (turned,) = differences(back, {path: text for path, text in before.items() if path == file.path})
        # Which of two equal lines moved is a matter of taste, so each way may tell more; the sum is the same.
        assert turned.added - turned.removed == file.removed - file.added
