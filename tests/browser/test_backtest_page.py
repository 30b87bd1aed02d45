"""The page of a backtest is read in a browser from a file: light, dark, on a phone, asking nobody for anything."""

from pathlib import Path

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser

from api.pages.backtest import page
from engine.definitions import bundle as reading
from engine.effect.backtest import Backtest, Frame, backtest
from engine.effect.foretold import Happened
from engine.evaluation.replaying import Replay

FOLDER = Path(__file__).parents[1] / "every_key"
SIZE, CUTOFFS = 60, 12
WCAG = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}


def made() -> Backtest:
    """Sixty accounts whose score falls before they go, for some of them."""
    texts = {path.relative_to(FOLDER).as_posix(): path.read_text("utf-8") for path in FOLDER.rglob("*.*")}
    bundle = reading.read(texts).bundle
    assert bundle is not None
    generator = np.random.default_rng(2)
    goes = np.flatnonzero(generator.random(SIZE) < 0.4)
    days = np.arange(CUTOFFS, dtype=np.int64) * 7
    left = np.full(SIZE, 1_000)
    left[goes] = generator.integers(40, 120, len(goes))
    near = np.clip((left[None, :] - days[:, None]) / 100, 0, 1)
    scores = 40 + 50 * near + generator.normal(0, 8, near.shape)
    said = np.where(scores < 60, 1, -1).astype(np.int8)
    replay = Replay(
        days=days,
        keys=tuple(f"account-{row}" for row in range(SIZE)),
        here=days[:, None] < left[None, :],
        rules={"everything": said},
        signals={"everything.low": said, "everything.quiet": np.ones_like(said)},
        scores={"health": scores},
        tiers={"health": np.digitize(scores, [50, 75]).astype(np.int8)},
        metrics={"active_users": scores, "tickets": generator.random(near.shape)},
    )
    keys = replay.keys
    arr = generator.integers(1, 90, SIZE).astype(np.float64) * 1_000
    frame = Frame(0, int(days[-1]), 7, 60, "churned", keys, keys, arr, ("ann@example.com",) * SIZE)
    return backtest(bundle, replay, Happened(goes, left[goes], until=200), frame)


@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 1280), ("light", 390)])
def test_the_page_is_accessible_fits_and_asks_nobody(
    chromium: Browser, tmp_path: Path, scheme: str, width: int
) -> None:
    path = tmp_path / "backtest.html"
    path.write_text(page([made()]), encoding="utf-8")
    context = chromium.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)  # type: ignore[arg-type]
    opened = context.new_page()
    asked: list[str] = []
    opened.on("request", lambda request: asked.append(request.url))
    opened.goto(path.as_uri())
    assert asked == [path.as_uri()]
    assert opened.evaluate("document.documentElement.scrollWidth") <= width
    found = Axe().run(opened, options=WCAG).response["violations"]
    assert [(each["id"], each["nodes"][0]["html"][:120]) for each in found] == []
    assert opened.get_by_role("heading", name="Would we have known?").is_visible()
    assert opened.locator("svg[role=img]").count() > 8
    context.close()
