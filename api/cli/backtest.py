"""``backtest``: what rules and scorecards would have said, held against what happened."""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.progress import BarColumn, Progress, TextColumn

from api.cli.backtest_tables import show
from api.cli.workspace import (
    DataOption,
    JsonOption,
    KnownOption,
    Workspace,
    day_of,
    err,
    load_bundle,
    open_workspace,
    out,
)
from engine.definitions.bundle import Bundle
from engine.definitions.condition import Condition
from engine.definitions.condition_reading import parse
from engine.definitions.problem import Problem, render
from engine.definitions.quantities import parse_length
from engine.definitions.reading import Ledger, listed, suggest
from engine.definitions.scope import Outline, account_scope
from engine.definitions.source import read_source
from engine.effect.backtest import Backtest
from engine.effect.backtest_values import day_text, values_of
from engine.store import backtests, bundles
from engine.store.backtests import TIER, Asked

YEAR: Final = 364
_ASKED: Final = "--outcome"

RuleOption = Annotated[list[str] | None, typer.Option("--rule", help="This rule; can be said several times.")]
CardOption = Annotated[list[str] | None, typer.Option("--scorecard", help="This scorecard; the same.")]
FromOption = Annotated[
    str, typer.Option("--from", help="First cutoff (default: a year before the last, if there is data).")
]
ToOption = Annotated[str, typer.Option("--to", help="Last cutoff (default: the last whose outcome is known).")]
OutcomeOption = Annotated[
    str, typer.Option(help="A stage, an event, tier.SCORECARD (it falls), or a condition as JsonLogic.")
]
WithinOption = Annotated[str, typer.Option(help="The outcome counts within this time after a cutoff.")]
EveryOption = Annotated[str, typer.Option(help="Time between two cutoffs.")]
CompareOption = Annotated[str, typer.Option(metavar="DIR|FINGERPRINT", help="The same for these definitions.")]
TodaysOption = Annotated[
    bool, typer.Option("--todays-fields", help="Take today's account fields for the past. This looks ahead.")
]
HtmlOption = Annotated[str, typer.Option(help="Write a page with charts to this file (- for standard output).")]


def register(app: typer.Typer) -> None:
    """Add this module's command to the command line."""
    app.command()(backtest)


def backtest(
    rule: RuleOption = None,
    scorecard: CardOption = None,
    since: FromOption = "",
    until: ToOption = "",
    outcome: OutcomeOption = "churned",
    within: WithinOption = "90d",
    every: EveryOption = "7d",
    compare: CompareOption = "",
    todays_fields: TodaysOption = False,
    known: KnownOption = False,
    html: HtmlOption = "",
    as_json: JsonOption = False,
    data: DataOption = "",
) -> None:
    """Replay the history without looking ahead, and count what would have been warned of, and what not."""
    workspace = open_workspace(data)
    other = _other(workspace, compare) if compare else None
    days = whole_days(within, "--within"), whole_days(every, "--every")
    found = []
    for bundle in (workspace.bundle, other):
        if bundle is not None:
            asked = asked_of(
                workspace, bundle, (rule, scorecard), (since, until), outcome, days, (todays_fields, known)
            )
            found.append(_run(workspace, bundle, asked))
    workspace.store.close()
    if html:
        _write(html, found)
        if html == "-":
            return
    if as_json:
        print(json.dumps([values_of(one) for one in found] if compare else values_of(found[0])))
        return
    show(found, out)
    if html:
        out.print(f'The page with charts is "{html}".')


def _run(workspace: Workspace, bundle: Bundle, asked: Asked) -> Backtest:
    columns = (TextColumn("{task.description}"), BarColumn())
    with Progress(*columns, console=err, transient=True) as bar, workspace.store.read() as session:
        task = bar.add_task("replaying", total=len(asked.days))
        return backtests.run(session, bundle, asked, lambda _day: bar.advance(task))


def asked_of(
    workspace: Workspace,
    bundle: Bundle,
    named: tuple[list[str] | None, list[str] | None],
    span: tuple[str, str],
    outcome: str,
    days: tuple[int, int],
    trust: tuple[bool, bool],
) -> Asked:
    """What is to be replayed, from the options as given; what cannot be ends the command."""
    within, every = days
    rules, cards = (tuple(names or ()) for names in named)
    of_accounts = _require_named(bundle, rules, cards)
    first, last = _span(workspace, span, within)
    everything = not rules and not cards
    return Asked(
        rules=tuple(bundle.rules) if everything else rules,
        cards=of_accounts if everything else cards,
        first=first,
        last=last,
        outcome=outcome,
        within=within,
        every=every,
        as_today=trust[0],
        as_known=trust[1],
        condition=_condition(bundle, outcome),
    )


def _span(workspace: Workspace, span: tuple[str, str], within: int) -> tuple[int, int]:
    """The first and the last cutoff: as asked, else a year that ends where outcomes are known."""
    with workspace.store.read() as session:
        first_known, last_known = backtests.seen_from(session), backtests.seen_until(session)
    if last_known < 0:
        err.print("There is no history yet: `backcast ingest points` and `backcast ingest events` bring it.")
        raise typer.Exit(1)
    last = min(day_of(span[1], "--to"), last_known) if span[1] else last_known - within
    first = day_of(span[0], "--from") if span[0] else max(last - YEAR, min(first_known, last))
    if first > last:
        known = f"there is data from {day_text(first_known)} to {day_text(last_known)}"
        err.print(f"--from is after --to: the first cutoff comes before the last, and {known}")
        raise typer.Exit(2)
    return first, last


def _require_named(bundle: Bundle, rules: tuple[str, ...], cards: tuple[str, ...]) -> tuple[str, ...]:
    """Refuse what is not there; the scorecards of accounts, which alone can be tested."""
    _require(rules, bundle.rules, "rule")
    _require(cards, bundle.scorecards, "scorecard")
    for name in cards:
        if (of := bundle.scorecards[name].of) != "account":
            err.print(f'"{name}" scores {of}s; what happens, happens to accounts')
            raise typer.Exit(2)
    return tuple(name for name, card in bundle.scorecards.items() if card.of == "account")


def _require(wanted: tuple[str, ...], there: Mapping[str, object], what: str) -> None:
    for name in wanted:
        if name not in there:
            hint = suggest(name, there) or f"there are: {', '.join(sorted(there))}"
            err.print(f'no {what} "{name}"; {hint}')
            raise typer.Exit(2)


def _condition(bundle: Bundle, outcome: str) -> Condition | None:
    """The outcome as a condition, or None where it is the name of a stage, an event or a tier."""
    catalog = bundle.catalog
    named = [
        *catalog.stages,
        *catalog.events,
        *(f"{TIER}{card.name}" for card in bundle.scorecards.values() if card.of == "account"),
    ]
    if outcome in named:
        return None
    if not outcome.lstrip().startswith("{"):
        hint = suggest(outcome, named) or f"there are {listed(named, 'and')}"
        err.print(f'"{outcome}" is no stage, event or tier of a scorecard; {hint}')
        raise typer.Exit(2)
    problems: list[Problem] = []
    node = read_source(_ASKED, outcome, problems)
    cards = {card.name: tuple(metric.name for metric in card.metrics) for card in bundle.scorecards.values()}
    outline = Outline({rule.name: tuple(rule.signals) for rule in bundle.rules.values()}, cards)
    found = parse(node, account_scope(catalog, outline), Ledger("J", problems, [])) if node else None
    for problem in problems:
        err.print(render(problem, {_ASKED: outcome}))
    if problems or found is None:
        raise typer.Exit(2)
    return found


def whole_days(text: str, option: str) -> int:
    """A length like 90d as days; anything else ends the command."""
    found = parse_length(text)
    if found is None or found.working or found.days != int(found.days) or not 1 <= found.days <= YEAR * 3:
        err.print(f'{option} wants whole days like 90d, not "{text}"')
        raise typer.Exit(2)
    return int(found.days)


def _other(workspace: Workspace, named: str) -> Bundle:
    """Another folder, or a bundle by its fingerprint."""
    if Path(named).is_dir():
        return load_bundle(workspace.settings.model_copy(update={"files": named}))
    with workspace.store.read() as session:
        return bundles.by_fingerprint(session, bundles.named(session, named))


def _write(path: str, found: list[Backtest]) -> None:
    from api.pages.backtest import page

    if path == "-":
        sys.stdout.write(page(found))
        return
    Path(path).write_text(page(found), encoding="utf-8")
