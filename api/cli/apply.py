"""``plan``, ``apply``, ``bundles`` and ``rollback``: what a change would do, and putting it in force."""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import asdict, replace
from typing import Annotated, Final

import typer

from api.cli.planning import show
from api.cli.workspace import (
    AtOption,
    DataOption,
    JsonOption,
    KnownOption,
    Workspace,
    day_of,
    err,
    load_bundle,
    moment_of,
    now,
    open_store,
    open_workspace,
    out,
    require_examples,
    settings_for,
)
from engine.definitions.bundle import Bundle
from engine.store import bundles
from engine.store.bundles import Act, Publication
from engine.store.proposal_values import values_of
from engine.store.proposals import Proposal, propose
from engine.terms import BundleAct

LONGEST: Final = 2_000

AgainstOption = Annotated[
    str, typer.Option(metavar="DIR|FINGERPRINT", help="Compare with this instead of what is in force.")
]
AuthorOption = Annotated[
    str, typer.Option(help="Who does it (default: $BACKCAST_AUTHOR, else the e-mail address git knows).")
]
MessageOption = Annotated[str, typer.Option("--message", "-m", help="What it changes and why.")]
YesOption = Annotated[bool, typer.Option("--yes", help="Do not ask.")]
AcceptOption = Annotated[
    int | None, typer.Option(help="Accept that this many accounts are touched beyond the limits.", min=1)
]
ReasonOption = Annotated[str, typer.Option(help="Why; kept for ever.")]


def register(app: typer.Typer) -> None:
    """Add this module's commands to the command line."""
    app.command()(plan)
    app.command()(apply)
    app.command(name="bundles")(list_bundles)
    app.command()(rollback)


def plan(
    at: AtOption = "",
    known: KnownOption = False,
    against: AgainstOption = "",
    as_json: JsonOption = False,
    data: DataOption = "",
) -> None:
    """Show how the files differ from those in force and what they would do to whom. Nothing happens."""
    workspace = open_workspace(data)
    base = _other(workspace, against) if against else None
    proposal = _proposal(workspace, workspace.bundle, day_of(at), base, as_known=known)
    if as_json:
        print(json.dumps(values_of(proposal)))
        return
    show(proposal)
    for ask in proposal.blast.asks:
        out.print(f"beyond the limits: {ask}", style="yellow")
    if proposal.files and not against:
        out.print("`backcast apply` puts this in force.")


def apply(
    message: MessageOption = "",
    author: AuthorOption = "",
    yes: YesOption = False,
    accept_blast: AcceptOption = None,
    reason: ReasonOption = "",
    only_propose: Annotated[bool, typer.Option("--propose", help="Keep them for a member to put in force.")] = False,
    as_json: JsonOption = False,
    data: DataOption = "",
) -> None:
    """Put the files in force, after showing what that does. Runs that are open keep the definitions they have."""
    workspace = open_workspace(data)
    publication = _publication(BundleAct.APPLIED, author, message or reason, accept_blast, reason)
    require_examples(workspace.bundle)
    if only_propose:
        _propose(workspace, publication, as_json=as_json)
        return
    _go_over(workspace, workspace.bundle, publication, yes=yes, as_json=as_json)


def rollback(
    fingerprint: Annotated[str, typer.Argument(help="The beginning of a fingerprint, as `backcast bundles` lists it.")],
    reason: ReasonOption = "",
    author: AuthorOption = "",
    yes: YesOption = False,
    accept_blast: AcceptOption = None,
    as_json: JsonOption = False,
    data: DataOption = "",
) -> None:
    """Put earlier definitions in force again, after showing what that does. The files stay as they are."""
    if not reason.strip():
        _wrong("a rollback needs a --reason: it is what people read when they ask why")
    settings = settings_for(data)
    store = open_store(settings)
    with store.read() as session:
        earlier = bundles.by_fingerprint(session, bundles.named(session, fingerprint))
    publication = _publication(BundleAct.ROLLED_BACK, author, reason, accept_blast, reason)
    _go_over(Workspace(settings, store, earlier), earlier, publication, yes=yes, as_json=as_json)


def list_bundles(
    limit: Annotated[int, typer.Option(help="How many.", min=1, max=1_000)] = 20,
    as_json: JsonOption = False,
    data: DataOption = "",
) -> None:
    """List who put which definitions in force, when and why; the newest first."""
    store = open_store(settings_for(data))
    with store.read() as session:
        acts, in_force = bundles.acts(session, limit), bundles.fingerprint_in_force(session)
    store.close()
    if as_json:
        listed = [{**asdict(act), "at": act.at.isoformat()} for act in acts]
        print(json.dumps({"in_force": in_force or None, "acts": listed}))
        return
    marked = next((number for number, act in enumerate(acts) if act.fingerprint == in_force), -1)
    for number, act in enumerate(acts):
        for line in _told(act, is_in_force=number == marked):
            out.print(line)
    if not acts:
        out.print("Nothing was ever put in force here; `backcast apply` does it.")


def _told(act: Act, *, is_in_force: bool) -> Iterator[str]:
    """What somebody did to the definitions, in lines that a narrow terminal holds."""
    when = act.at.isoformat(" ", "minutes").removesuffix("+00:00")
    mark = "  (in force)" if is_in_force else ""
    who = act.author or "the first command that acted"
    yield f"{act.fingerprint[:12]}  {when}  {act.kind.value.replace('_', ' ')} by {who}{mark}"
    changes = ", ".join(f"{name.replace('_', ' ')} {count}" for name, count in act.changes.items() if count)
    yield from (f"              {text}" for text in (act.message, changes) if text)


def _propose(workspace: Workspace, publication: Publication, *, as_json: bool) -> None:
    """Nothing is shown: whoever accepts it looks at the plan of that moment."""
    with workspace.store.begin() as session:
        bundles.propose(session, workspace.bundle, replace(publication, kind=BundleAct.PROPOSED), now())
    fingerprint = workspace.bundle.fingerprint
    workspace.store.close()
    if as_json:
        print(json.dumps({"proposed": fingerprint}))
        return
    out.print(f"Proposed: {fingerprint[:12]}. POST /v1/bundles/{fingerprint[:12]}/apply puts it in force.")


def _go_over(workspace: Workspace, bundle: Bundle, publication: Publication, *, yes: bool, as_json: bool) -> None:
    proposal = _proposal(workspace, bundle, day_of(""), None)
    if not as_json:
        show(proposal)
    _check_blast(proposal, publication)
    _confirm(yes=yes or as_json)
    previous = proposal.base.fingerprint if proposal.base else ""
    kept = replace(publication, changes=proposal.changes)
    with workspace.store.begin() as session:
        bundles.apply(session, bundle, kept, previous, now())
    workspace.store.close()
    if as_json:
        print(json.dumps({"applied": bundle.fingerprint, "previous": previous or None, "plan": values_of(proposal)}))
        return
    out.print(f"In force from now on: {bundle.fingerprint[:12]}, by {publication.author}. Open runs keep theirs.")


def _proposal(
    workspace: Workspace, bundle: Bundle, day: int, base: Bundle | None, *, as_known: bool = False
) -> Proposal:
    bundles.keep(bundle)
    with workspace.store.read() as session:
        return propose(session, bundle, base or bundles.in_force(session), moment_of(day), as_known=as_known)


def _other(workspace: Workspace, named: str) -> Bundle:
    """Another folder, or a bundle by its fingerprint."""
    if os.path.isdir(named):  # noqa: PTH112 # a name that may as well be a fingerprint
        return load_bundle(workspace.settings.model_copy(update={"files": named}))
    with workspace.store.read() as session:
        return bundles.by_fingerprint(session, bundles.named(session, named))


def _check_blast(proposal: Proposal, publication: Publication) -> None:
    size = proposal.blast.size
    if not proposal.blast.asks or (publication.accepted or 0) >= size:
        return
    for ask in proposal.blast.asks:
        err.print(f"beyond the limits: {ask}")
    again = f'--accept-blast {size} --reason "…"'
    err.print(f"Nothing was applied. Narrow the change, or, if it is what you want, repeat with {again}.")
    raise typer.Exit(1)


def _confirm(*, yes: bool) -> None:
    if yes:
        return
    try:
        answer = input("Put this in force? [y/N] ")
    except EOFError:
        err.print("\nNobody is here to be asked: repeat with --yes. Nothing was applied.")
        raise typer.Exit(1) from None
    if answer.strip().lower() not in {"y", "yes"}:
        err.print("Nothing was applied.")
        raise typer.Exit(1)


def _publication(kind: BundleAct, author: str, message: str, accepted: int | None, reason: str) -> Publication:
    if accepted is not None and not reason.strip():
        _wrong("--accept-blast needs a --reason: it is what people read when they ask why")
    if len(message) > LONGEST:
        _wrong(f"what is said about a change has at most {LONGEST:,} characters, not {len(message):,}")
    return Publication(acting(author), message.strip(), kind, accepted=accepted)


def acting(author: str) -> str:
    """Who acts: by the option, by BACKCAST_AUTHOR, or as git knows them; without any of them the command ends."""
    who = author or os.environ.get("BACKCAST_AUTHOR", "") or _git_email()
    if not who:
        _wrong("nobody knows who does this: name yourself with --author, or set BACKCAST_AUTHOR")
    return who[:300]


def _git_email() -> str:
    git = shutil.which("git")
    if git is None:
        return ""
    asked = subprocess.run([git, "config", "user.email"], capture_output=True, text=True, check=False)  # noqa: S603
    return asked.stdout.strip()


def _wrong(sentence: str) -> None:
    err.print(sentence)
    raise typer.Exit(2)
