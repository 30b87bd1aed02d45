"""Sets up a bare checkout: makes ``.venv``, installs what is locked in ``requirements/``, runs the command in it.

Standard library only, and syntax that an old Python can read, so that its owner gets a sentence and not a
SyntaxError. Everything said here goes to stderr: stdout belongs to the command.
"""

import contextlib
import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Dict, Iterator, List, Optional, Sequence, Tuple

OLDEST = (3, 11)
NEWER_PYTHONS = ("python3.13", "python3.12", "python3.11")
ROOT = Path(__file__).resolve().parent


class Stop(Exception):
    """Set-up cannot go on; the text is one sentence that says what to type."""


class Checkout:
    """Where things are in one checkout."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.venv = root / ".venv"
        self.python = self.venv / "bin" / "python"
        self.stamp = self.venv / "backcast-stamp"
        self.log = self.venv / "install.log"

    def requirements(self, which: str) -> Path:
        """Return the lock file of ``run`` or ``all``."""
        return self.root / "requirements" / (which + ".txt")


def enter(arguments: Sequence[str]) -> None:
    """Make the environment if needed and carry on inside it; return only where the command can run right here.

    ``test`` never returns: it runs the tests and exits with their status.
    """
    here = Checkout(ROOT)
    testing = list(arguments[:1]) == ["test"]
    # Packages are installed uncompiled: a shell that forbids Python to keep what it compiles makes each start slow.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    try:
        prepare(here, "all" if testing else "run")
        if testing:
            import browser

            sys.exit(run_tests(here, arguments[1:], browser.find(str(here.python))))
    except Stop as stop:
        say(str(stop))
        sys.exit(2)
    except KeyboardInterrupt:
        say("Stopped. Start the same command again to carry on.")
        sys.exit(130)
    if Path(sys.prefix).resolve() != here.venv.resolve():
        os.execv(str(here.python), [str(here.python), str(here.root / "backcast.py"), *arguments])


def prepare(here: Checkout, which: str) -> None:
    """Make sure that ``.venv`` holds what ``requirements/<which>.txt`` locks. Instant when it does."""
    if is_current(here, which):
        return
    ensure_python(sys.version_info[:2], [str(here.root / "backcast.py"), *sys.argv[1:]])
    with only_one(here):
        if is_current(here, which):
            return
        started = time.monotonic()
        make_venv(here)
        install(here, which)
        here.stamp.write_text("\n".join(digest(here, name) for name in covered(which)) + "\n")
        say("Set up in {:.0f} s.".format(time.monotonic() - started))


def covered(which: str) -> Tuple[str, ...]:
    """Return the lock files that installing ``which`` satisfies: ``all`` contains ``run``."""
    return ("all", "run") if which == "all" else ("run",)


def is_current(here: Checkout, which: str) -> bool:
    """Tell whether the stamp in ``.venv`` names this lock file and the Python that is there."""
    if not here.python.exists() or not here.stamp.exists():
        return False
    return digest(here, which) in here.stamp.read_text().split()


def digest(here: Checkout, which: str) -> str:
    """Name a lock file's content together with the environment's Python version."""
    found = hashlib.sha256(here.requirements(which).read_bytes())
    found.update(venv_version(here).encode())
    return which + ":" + found.hexdigest()


def venv_version(here: Checkout) -> str:
    """Return ``3.11`` for an environment of Python 3.11, or nothing where there is none."""
    config = here.venv / "pyvenv.cfg"
    for line in config.read_text().splitlines() if config.exists() else ():
        name, _, value = line.partition("=")
        if name.strip() in ("version", "version_info"):
            return ".".join(value.strip().split(".")[:2])
    return ""


def ensure_python(version: Tuple[int, ...], command: Sequence[str]) -> None:
    """Go on with a newer Python from PATH when this one is too old; without one, raise `Stop`."""
    if tuple(version) >= OLDEST:
        return
    for name in NEWER_PYTHONS:
        found = shutil.which(name)
        if found and runs(found):
            os.execv(found, [found, *command])
    raise Stop(
        "Backcast needs Python 3.11 or newer and this is {}.{}: type `sudo apt-get install python3.11 python3.11-venv` "
        "(Debian, Ubuntu) or `brew install python@3.13` (macOS), then start again.".format(*version)
    )


def runs(python: str) -> bool:
    """Tell whether a Python starts and is new enough (a version manager's shim may not be)."""
    check = "import sys; sys.exit(sys.version_info < {!r})".format(OLDEST)
    return subprocess.run([python, "-c", check], stderr=subprocess.DEVNULL, check=False).returncode == 0


def make_venv(here: Checkout) -> None:
    """Make ``.venv``, or keep one that works: only what is missing will be installed into it."""
    if here.python.exists() and runs(str(here.python)):
        return
    say("Making .venv ...")
    # Without pip: that halves the wait, and `installer` finds one.
    made = subprocess.run(
        [sys.executable, "-m", "venv", "--clear", "--without-pip", str(here.venv)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    if made.returncode != 0:
        last = made.stdout.decode(errors="replace").strip().splitlines()[-1:]
        raise Stop("`{} -m venv .venv` failed ({}): {}".format(sys.executable, " ".join(last), VENV_ADVICE))


VENV_ADVICE = (
    "type `sudo apt-get install python3-venv` (Debian, Ubuntu) or install Python from python.org (macOS), "
    "then start again."
)


def uv() -> Optional[List[str]]:
    """Return the command of uv when there is one: on PATH, or as a module of this Python."""
    found = shutil.which("uv")
    if found:
        return [found]
    return [sys.executable, "-m", "uv"] if importlib.util.find_spec("uv") else None


def install(here: Checkout, which: str) -> None:
    """Install one lock file with its hashes, by uv where that works, else by pip; raise `Stop` if neither does."""
    locked = str(here.requirements(which))
    fast = uv()
    if fast is not None:
        command = [*fast, "pip", "install", "--python", str(here.python), "--require-hashes", "--no-deps", "-r", locked]
        if attempt(here, command):
            return
        say("uv could not install the packages; trying pip.")
    quiet = ["--disable-pip-version-check", "--no-input", "--progress-bar", "off"]
    # The lock is complete, so nothing is left to resolve; bytecode is made when a module is first used.
    command = [*installer(here), "install", *quiet, "--no-compile", "--no-deps"]
    if not attempt(here, [*command, "--require-hashes", "-r", locked]):
        raise Stop(install_advice(here.log.read_text(errors="replace"), here.log))


def installer(here: Checkout) -> List[str]:
    """Return a pip for the environment: this Python's if it can install elsewhere, else one brought by ensurepip.

    Raises `Stop` where there is neither: Debian keeps ensurepip in a package of its own.
    """
    from importlib import metadata

    own = [str(here.python), "-m", "pip"]
    with contextlib.suppress(metadata.PackageNotFoundError, ValueError):
        if tuple(int(part) for part in metadata.version("pip").split(".")[:2]) >= (22, 3):
            return [sys.executable, "-m", "pip", "--python", str(here.python)]
    if not attempt(here, [*own, "--version"]) and not attempt(here, [str(here.python), "-m", "ensurepip"]):
        raise Stop("This Python has no pip and cannot make one: " + VENV_ADVICE)
    return own


def attempt(here: Checkout, command: Sequence[str]) -> bool:
    """Run one command of the set-up with its output in the log, and say that time is passing."""
    with here.log.open("w") as log, ticking("Installing packages"):
        return subprocess.run(command, stdout=log, stderr=subprocess.STDOUT, check=False).returncode == 0


def install_advice(output: str, log: Path) -> str:
    """Turn the output of a failed pip into the sentence that helps."""
    lowered = output.lower()
    errors = [line.strip() for line in output.splitlines() if line.strip().lower().startswith("error")]
    if "no space left" in lowered:
        return "The disk is full: free about 1 GB and start again."
    if "do not match the hashes" in lowered:
        return "A downloaded package is not the one that is locked: type `pip cache purge`, then start again."
    if any(word in lowered for word in ("connection", "timed out", "name resolution", "proxy", "ssl", "getaddrinfo")):
        return (
            "The package index cannot be reached: check the network, or where there is a proxy or a mirror type "
            "`export HTTPS_PROXY=http://HOST:PORT` or `export PIP_INDEX_URL=ADDRESS`, then start again "
            "(pip's output is in {}).".format(log)
        )
    return "pip failed ({}): read {}, then start again.".format((errors or ["no reason given"])[-1], log)


@contextlib.contextmanager
def only_one(here: Checkout) -> Iterator[None]:
    """Let one set-up of a checkout run at a time; another waits for it."""
    import fcntl

    with here.requirements("run").open() as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield


@contextlib.contextmanager
def ticking(what: str) -> Iterator[None]:
    """Show on a terminal how long something has taken so far; elsewhere only that it began."""
    if not sys.stderr.isatty():
        say(what + " ...")
        yield
        return
    ended = threading.Event()

    def tick() -> None:
        started = time.monotonic()
        while True:
            sys.stderr.write("\r{} ... {:.0f} s ".format(what, time.monotonic() - started))
            sys.stderr.flush()
            if ended.wait(1.0):
                sys.stderr.write("\n")
                return

    clock = threading.Thread(target=tick, daemon=True)
    clock.start()
    try:
        yield
    finally:
        ended.set()
        clock.join()


def say(sentence: str) -> None:
    """Tell the person at the terminal something."""
    sys.stderr.write(sentence + "\n")
    sys.stderr.flush()


def run_tests(here: Checkout, extra: Sequence[str], browser_path: str) -> int:
    """Run all tests; 0 only if every part passed and found tests.

    Two processes, because the event loop that drives the browser would get in the way of the asynchronous tests.
    """
    environment: Dict[str, str] = dict(os.environ, BACKCAST_BROWSER=browser_path)
    codes = []
    for part in parts(extra, here.root, os.cpu_count() or 1):
        command = [str(here.python), "-m", "pytest", *part]
        codes.append(subprocess.run(command, cwd=str(here.root), env=environment, check=False).returncode)
    return status(codes, chosen=bool(extra))


def parts(extra: Sequence[str], root: Path, cores: int) -> List[List[str]]:
    """Return pytest's arguments for each process; paths among ``extra`` go to the process they belong to."""
    paths = [one for one in extra if (root / one.split("::")[0]).exists()]
    options = [one for one in extra if one not in paths]
    seen = [one for one in paths if "tests/browser" in one]
    unseen = [one for one in paths if one not in seen]
    workers = ["-n", str(min(cores, 4)), "--dist", "loadfile"] if cores > 1 and not paths else []
    found = []
    if unseen or not paths:
        found.append([*workers, "--ignore=tests/browser", *options, *unseen])
    if seen or not paths:
        found.append([*options, *(seen or ["tests/browser"])])
    return found


def status(codes: Sequence[int], *, chosen: bool) -> int:
    """Judge pytest's exit codes: finding no test (5) is a failure, unless ``chosen`` tests ran in the other part."""
    nothing = 5
    if chosen and any(code != nothing for code in codes):
        codes = [code for code in codes if code != nothing]
    return 1 if any(codes) else 0
