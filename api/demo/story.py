"""One account, followed in ten lines: from the metric that falls to the score that cites the measured outcome."""

from collections.abc import Iterator

from api.demo.stage import CSM, Stage
from engine.evaluation.changes import explain_change
from engine.evaluation.evaluation import evaluate
from engine.evaluation.explaining import account_score, explain
from engine.store.facts import load_facts
from engine.store.followed import Followed, follow
from engine.terms import MICRO

RULE = "seats-unused"


def story(stage: Stage) -> list[str]:
    """The lines of the story, numbered; what has not happened yet is said so."""
    key, portfolio = stage.portfolio.story_key, stage.portfolio
    with stage.store.read() as session:
        seen = follow(session, key, RULE)
        facts = load_facts(session, stage.bundle, portfolio.last_day + portfolio.view.after)
    evaluation = evaluate(stage.bundle, facts)
    row = facts.accounts.keys.index(key)
    card, scored = next(iter(stage.bundle.scorecards.values())), next(iter(evaluation.scores.values()))
    explained = explain(stage.bundle.catalog, card, account_score(scored, row))
    cited = [line.sentence for line in explained.lines if line.metric.startswith("response.")]
    return [f"{number:>2}. {line}" for number, line in enumerate(_lines(stage, seen, cited), start=1)]


def _lines(stage: Stage, seen: Followed, cited: list[str]) -> Iterator[str]:
    title = stage.bundle.rules[RULE].challenge.title
    yield f"{seen.name}: {'; '.join(seen.evidence)}."
    yield _fall(stage, seen)
    yield f"Decided: {seen.decision}"
    yield f"“{title}” is answered by the playbook {seen.playbook}, run {seen.run_id} on Temporal."
    yield _approval(seen)
    yield (
        f"Delivered: {len(seen.letters)} letters, the first “{seen.letters[0]}”." if seen.letters else "No letter yet."
    )
    yield "The sponsor opened the shared report." if seen.report_opened else "No report has been opened yet."
    yield _answer(seen)
    yield f"Outcome {seen.outcome.replace('_', ' ')}: {seen.outcome_sentence or 'it is judged after 45 days'}."
    yield f"The score's explanation cites it: {cited[0]}" if cited else "The score does not cite it yet."


def _fall(stage: Stage, seen: Followed) -> str:
    known = [score for day, score in seen.scores if day <= stage.portfolio.last_day]
    if not known:
        return "Its score is not known: too little data."
    card, first, last = next(iter(stage.bundle.scorecards.values())), known[0], known[-1]
    change = explain_change(stage.bundle.catalog, card, first, card, last)
    fallen = [part.sentence for part in change.parts if part.metric == change.cause]
    cause = f" The cause is named: {fallen[0]}" if fallen else ""
    return f"Its score moved from {(first.effective or 0) / MICRO:.1f} to {(last.effective or 0) / MICRO:.1f}.{cause}"


def _approval(seen: Followed) -> str:
    if not seen.approvals:
        return "Nothing had to be approved."
    first = seen.approvals[0]
    edited = f"edited by {_who(first.edited_by)}, then " if first.edited_by else ""
    decided = f"{first.state} by {_who(first.decided_by)}" if first.decided_by else first.state
    return f"{first.messages} messages were proposed to the owner: {edited}{decided}."


def _who(email: str) -> str:
    return "the CSM" if email == CSM else email


def _answer(seen: Followed) -> str:
    if seen.report_answer is None:
        return "The customer has not answered yet."
    said = f": “{seen.report_comment}”" if seen.report_comment else ""
    return f"“Does this match your view?” was answered with {seen.report_answer:.0f} of 5{said}"
