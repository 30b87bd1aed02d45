"""Reports: what may be shown, and in which sections."""

import pytest

from engine.definitions.report import (
    AdoptionSection,
    DoneSection,
    GoalsSection,
    HealthSection,
    NextStepsSection,
    QuestionSection,
)
from tests.bad_files.workspace import BASE, REPORT, bundle_of, sentences_of, with_edit


def test_a_report_is_an_allow_list_and_sections() -> None:
    texts = {**BASE, REPORT: BASE[REPORT] + "  - what_we_did: {}\n  - next_steps: {ask_owner: false}\n"}
    report = bundle_of(texts).reports["quarterly"]
    assert (report.title, report.allow) == ("{{ account.name }}: your quarter", ("active_users",))
    assert report.sections == (
        GoalsSection(("more_users",)),
        AdoptionSection(("active_users",), 90),
        HealthSection("health", "wording"),
        QuestionSection("Does this match your view?", 1, 5, "agreement"),
        DoneSection(),
        NextStepsSection(ask_owner=False),
    )


@pytest.mark.parametrize(
    ("instead", "write", "sentences"),
    [
        ("allow: [active_users]", "allow: [active_user]", [
            'B001 there is no metric "active_user"',
            'D013 "active_users" is not in the allow list of this report',
            'D013 "active_users" is not in the allow list of this report',
        ]),
        ("show: [more_users]", "show: [more]", ['B001 there is no goal "more"']),
        ("show: wording", "show: number", ['D003 "show" must be wording, score or none, not "number"']),
        ("scale: 1-5", "scale: five", [
            'D005 a scale runs from low to high in at most 11 steps, not "five"'
        ]),
        ("  - health: {", "  - health: {}\n    goals: {", ["D012 a section is one kind with its details"]),
        ("{{ account.name }}", "{{ account.arr }}", ['M020 "account.arr" may be missing']),
        ("report: quarterly\n", "", ['D001 a report needs "report"', 'B001 there is no report "quarterly"']),
    ],
)  # fmt: skip
def test_a_report_refuses(instead: str, write: str, sentences: list[str]) -> None:
    found = [found for found in sentences_of(with_edit(REPORT, instead, write)) if not found.startswith("D004")]
    assert sorted(found) == sorted(sentences)


def test_a_report_needs_sections() -> None:
    texts = {**BASE, REPORT: BASE[REPORT][: BASE[REPORT].index("sections:")] + "sections: []\n"}
    assert sentences_of(texts) == ["D010 a report needs at least one section"]
