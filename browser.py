"""Finds a Chromium, Chrome or Edge for the browser tests, and gets one where there is none.

Standard library only; `bootstrap` calls it for ``test``. There is no silent skip: without a browser it raises.
"""

import os
import shutil
import subprocess
from pathlib import Path
from typing import Iterator, Optional

from bootstrap import Stop, say

NAMES = (
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "chrome",
    "microsoft-edge",
    "microsoft-edge-stable",
    "msedge",
)
MAC_APPLICATIONS = (
    "Google Chrome.app/Contents/MacOS/Google Chrome",
    "Chromium.app/Contents/MacOS/Chromium",
    "Microsoft Edge.app/Contents/MacOS/Microsoft Edge",
)
ADVICE = (
    "No browser for the browser tests: install Chrome, Chromium or Edge (Debian: type `sudo apt-get install chromium`; "
    "macOS: type `brew install --cask chromium`), or type `export BACKCAST_BROWSER=/path/to/chrome`, then start again."
)


def find(python: str) -> str:
    """Return the path of a browser that starts; ``python`` is the environment's, for playwright's own download.

    Raises `Stop` with what to type when there is none and none can be had.
    """
    asked = os.environ.get("BACKCAST_BROWSER", "")
    if asked:
        return named(asked)
    for path in installed():
        if starts(path):
            return path
    for get in (from_playwright, from_apt):
        found = get(python)
        if found and starts(found):
            return found
    raise Stop(ADVICE)


def named(asked: str) -> str:
    """Return the browser that ``$BACKCAST_BROWSER`` names, as a path; raise `Stop` if it does not start."""
    found = shutil.which(asked)
    if found and starts(found):
        return found
    raise Stop(
        "BACKCAST_BROWSER is {!r}, which is not a browser that starts: type `export BACKCAST_BROWSER=/path/to/chrome` "
        "or `unset BACKCAST_BROWSER`, then start again.".format(asked)
    )


def installed() -> Iterator[str]:
    """Yield the browsers on PATH and among the Mac's applications."""
    for name in NAMES:
        found = shutil.which(name)
        if found:
            yield found
    for folder in (Path("/Applications"), Path.home() / "Applications"):
        for application in MAC_APPLICATIONS:
            if (folder / application).exists():
                yield str(folder / application)


def starts(path: str) -> bool:
    """Tell whether a browser can tell its version: a stub or one without its libraries cannot."""
    try:
        asked = subprocess.run([path, "--version"], capture_output=True, timeout=60, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return asked.returncode == 0


def from_playwright(python: str) -> Optional[str]:
    """Return the Chromium that playwright has downloaded or can download for this user."""
    say("No browser found: getting one by `playwright install chromium` ...")
    got = subprocess.run([python, "-m", "playwright", "install", "chromium"], capture_output=True, check=False)
    if got.returncode != 0:
        return None
    where = (
        "from playwright.sync_api import sync_playwright as start\nwith start() as p: print(p.chromium.executable_path)"
    )
    told = subprocess.run([python, "-c", where], capture_output=True, check=False)
    return told.stdout.decode().strip() or None


def from_apt(_python: str) -> Optional[str]:
    """Install Debian's Chromium, where we are root."""
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        return None
    say("No browser yet: getting one by `apt-get install chromium` ...")
    environment = dict(os.environ, DEBIAN_FRONTEND="noninteractive")
    for command in (["update"], ["install", "-y", "--no-install-recommends", "chromium"]):
        if subprocess.run(["apt-get", *command], capture_output=True, env=environment, check=False).returncode != 0:
            return None
    return shutil.which("chromium")
