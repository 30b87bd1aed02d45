"""Bad parameters and headers, and what is answered to them: read from this folder, sent to the real application.

Each case is one JSON file: the ``request`` (``as``: who asks, empty: nobody) and the ``answer``. ``{run}``, ``{task}``,
``{approval}``, ``{account}`` stand for ids that are there. The path goes out exactly as written.

    python -m tests.bad_input.parameters

asks all of them again and writes their answers, for a person to read before they are committed.
"""

import json
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from fastapi.testclient import TestClient
from httpx import URL, Response

from api.app import create_app
from engine.settings import Settings
from engine.store import migrating
from engine.store.sessions import connect
from tests.installed import BASE, Clock, Site, seeded_copy

HERE: Final = Path(__file__).parent / "api_parameters"


@dataclass(frozen=True, slots=True)
class Case:
    """One request and its answer."""

    path: Path
    request: dict[str, Any]
    answer: dict[str, Any]

    @property
    def name(self) -> str:
        """The file's name without its ending."""
        return self.path.stem


def cases() -> list[Case]:
    """All of them, by number."""
    found = [(path, json.loads(path.read_text())) for path in sorted(HERE.glob("*.json"))]
    return [Case(path, one["request"], one.get("answer", {})) for path, one in found]


def ask(site: Site, case: Case) -> Response:
    """Send a case's request."""
    wanted, client = case.request, _client(site, case.request.get("as", ""))
    path = _filled(site, wanted["path"])
    request = client.build_request(
        wanted.get("method", "GET"),
        BASE + "/",
        headers=_headers(wanted),
        content=_body(site, wanted),
    )
    if "content-type" not in request.headers and wanted.get("form") is not None:
        request.headers["content-type"] = "application/x-www-form-urlencoded"
    request.url = URL(BASE).copy_with(raw_path=path.encode())  # it is not tidied up on its way
    answer: Response = client.send(request)
    return answer


def said(answer: Response) -> dict[str, Any]:
    """What is kept of an answer: its status, and of a problem what it says."""
    kept: dict[str, Any] = {"status": answer.status_code}
    if answer.headers.get("content-type") == "application/problem+json":
        problem = answer.json()
        kept["detail"] = problem["detail"]
        if "errors" in problem:
            kept["errors"] = problem["errors"]
    elif answer.headers.get("content-type", "").startswith("text/html"):
        kept["page"] = True
    return kept


def _client(site: Site, who: str) -> TestClient:
    return site.member(who) if who else site.anybody()


def _filled(site: Site, text: str) -> str:
    seeded = site.seeded
    ids = {"run": seeded.run, "approval": seeded.approval, "task": seeded.task}
    ids["account"] = seeded.accounts["Northwind Health"]
    for name, number in ids.items():
        text = text.replace("{" + name + "}", str(number))
    for name, times in (("{long}", 10_000), ("{longer}", 70_000)):
        text = text.replace(name, "x" * times)
    return text


def _headers(wanted: dict[str, Any]) -> list[tuple[str, str]]:
    found = [(name, value) for name, value in wanted.get("headers", {}).items()]
    return found + [(f"X-Nothing-{number}", "x") for number in range(wanted.get("many_headers", 0))]


def _body(site: Site, wanted: dict[str, Any]) -> bytes | None:
    if "form" in wanted:
        return _filled(site, wanted["form"]).encode("utf-8", "surrogatepass")
    if "json" in wanted:
        return json.dumps(wanted["json"]).encode()
    return None


def _installed(folder: Path) -> Iterator[Site]:
    template = folder / "template.db"
    store = connect(f"sqlite:///{template}")
    migrating.migrate(store)
    store.close()
    (folder / "seeded").mkdir()
    seeded_path, seeded = seeded_copy(template, folder / "seeded")
    for number, _ in enumerate(cases()):
        path = folder / f"{number}.db"
        shutil.copyfile(seeded_path, path)
        opened, clock = connect(f"sqlite:///{path}"), Clock()
        yield Site(create_app(opened, Settings(base_url=BASE), clock), opened, seeded, clock)
        opened.close()


def main() -> None:
    """Write the answer of every case anew."""
    with tempfile.TemporaryDirectory() as folder:
        for case, site in zip(cases(), _installed(Path(folder)), strict=True):
            kept = {"request": case.request, "answer": said(ask(site, case))}
            case.path.write_text(json.dumps(kept, indent=2, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
