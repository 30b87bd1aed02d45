"""The set-up of a bare checkout: instant the second time, and one sentence for every obstacle."""

import hashlib
import os
import shutil
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pytest

import bootstrap
import browser

ROOT = Path(__file__).parents[1]
FAKE_LINE = "tiny==1.0 --hash=sha256:{}\n"


def package(folder: Path) -> str:
    """Write a wheel with one module into the folder and return the line that locks it."""
    wheel = folder / "tiny-1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as opened:
        opened.writestr("tiny.py", "WORD = 'here'\n")
        opened.writestr("tiny-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: tiny\nVersion: 1.0\n")
        opened.writestr("tiny-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        opened.writestr("tiny-1.0.dist-info/RECORD", "tiny.py,,\ntiny-1.0.dist-info/RECORD,,\n")
    return FAKE_LINE.format(hashlib.sha256(wheel.read_bytes()).hexdigest())


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """Return a fresh checkout whose only dependency is a tiny wheel beside it, and whose command says where it is."""
    root = tmp_path / "my checkout"
    for name in ("wheels", "requirements", "api"):
        (root / name).mkdir(parents=True)
    for name in ("backcast.py", "bootstrap.py", "browser.py"):
        shutil.copy(ROOT / name, root / name)
    line = package(root / "wheels")
    for name in ("run", "all"):
        (root / "requirements" / f"{name}.txt").write_text(line)
    cli = "import sys, tiny\ndef main(): print(tiny.WORD, sys.prefix, sys.argv[1:])\n"
    (root / "api" / "cli.py").write_text(cli)
    return root


def start(checkout: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Type ``python3 backcast.py …`` in the checkout, with no index but its own folder and no uv on PATH."""
    offline = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": (checkout / "wheels").as_uri(), "PATH": "/usr/bin:/bin"}
    return subprocess.run(
        [sys.executable, str(checkout / "backcast.py"), *arguments],
        cwd=checkout.parent,
        env={**os.environ, **offline, **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )


def test_a_bare_checkout_sets_itself_up_and_runs_the_command_inside(checkout: Path) -> None:
    """The second start is instant, and stdout belongs to the command alone."""
    first = start(checkout, "demo", "--json")
    assert first.stdout == f"here {checkout / '.venv'} ['demo', '--json']\n", first.stderr
    assert "Installing packages" in first.stderr
    begun = time.monotonic()
    second = start(checkout, "demo", "--json")
    assert (second.stdout, second.stderr) == (first.stdout, "")
    assert time.monotonic() - begun < 5


def test_what_python_compiles_is_kept_whatever_the_shell_says(checkout: Path) -> None:
    """Else each of the many starts of a test run or a demo would compile a thousand modules again."""
    start(checkout, PYTHONDONTWRITEBYTECODE="1")
    assert list((checkout / "api" / "__pycache__").glob("cli.*.pyc"))
    assert list((checkout / ".venv").rglob("tiny.*.pyc"))


def test_a_changed_lock_file_is_installed_again(checkout: Path) -> None:
    start(checkout)
    with (checkout / "requirements" / "run.txt").open("a") as locked:
        locked.write("# newer\n")
    assert "Installing packages" in start(checkout).stderr
    assert start(checkout).stderr == ""


def test_an_index_that_cannot_give_a_package_is_one_sentence_that_says_what_to_type(checkout: Path) -> None:
    (checkout / "wheels" / "tiny-1.0-py3-none-any.whl").unlink()
    failed = start(checkout)
    assert failed.returncode == 2
    assert "then start again" in failed.stderr
    assert "Traceback" not in failed.stderr
    assert not (checkout / ".venv" / "backcast-stamp").exists()


def test_a_package_that_is_not_the_locked_one_is_refused(checkout: Path) -> None:
    (checkout / "requirements" / "run.txt").write_text(FAKE_LINE.format("0" * 64))
    failed = start(checkout)
    assert failed.returncode == 2
    assert "`pip cache purge`" in failed.stderr


def test_what_all_locks_satisfies_run() -> None:
    """A stamp of ``all`` stands for ``run`` too, so every line of the one must be in the other."""
    run, everything = ((ROOT / "requirements" / f"{name}.txt").read_text().splitlines() for name in ("run", "all"))
    pins = [line.split(" ")[0] for line in run if line[:1].isalnum()]
    assert len(pins) > 30
    assert set(pins) <= {line.split(" ")[0] for line in everything}
    assert set(bootstrap.covered("all")) == {"all", "run"}


def test_the_lock_files_name_versions_and_hashes_and_no_address() -> None:
    for name in ("run", "all", "benchmarks"):
        text = (ROOT / "requirements" / f"{name}.txt").read_text()
        assert "://" not in text
        assert not [line for line in text.splitlines() if line.startswith("-")]


def test_a_python_too_old_says_what_to_type(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(
        bootstrap.Stop, match=r"needs Python 3\.11 or newer and this is 3\.9: type `sudo apt-get install"
    ):
        bootstrap.ensure_python((3, 9), ["backcast.py"])


def test_a_python_new_enough_goes_on() -> None:
    bootstrap.ensure_python((3, 11), ["backcast.py"])
    bootstrap.ensure_python((3, 14), ["backcast.py"])


def test_an_old_python_goes_on_with_a_newer_one_from_the_path(tmp_path: Path) -> None:
    """The newer one is really started, with the same command."""
    newer = tmp_path / "python3.12"
    newer.write_text(f'#!/bin/sh\nif [ "$1" = -c ]; then exit 0; fi\necho "newer $@"\nexec {sys.executable} -c ""\n')
    newer.chmod(0o755)
    ask = "import bootstrap; bootstrap.ensure_python((3, 9), ['backcast.py', 'demo'])"
    went = subprocess.run(
        [sys.executable, "-c", ask],
        cwd=ROOT,
        env={"PATH": f"{tmp_path}:/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert went.stdout == "newer backcast.py demo\n"


NO_PIP = """
import importlib.metadata as metadata
known = metadata.version
def version(name):
    if name == "pip": raise metadata.PackageNotFoundError(name)
    return known(name)
metadata.version = version
"""
NO_ENSUREPIP = """
import sys
class Hide:
    def find_spec(self, name, path=None, target=None):
        if name == "ensurepip": raise ModuleNotFoundError("No module named ensurepip", name=name)
sys.meta_path.insert(0, Hide())
"""


def test_a_debian_without_its_venv_package_says_what_to_type(checkout: Path, tmp_path: Path) -> None:
    """Debian's Python has venv, but neither pip nor ensurepip."""
    (tmp_path / "sitecustomize.py").write_text(NO_PIP + NO_ENSUREPIP)
    failed = start(checkout, PYTHONPATH=str(tmp_path))
    assert failed.returncode == 2
    assert failed.stderr.splitlines()[-1].startswith("This Python has no pip and cannot make one: type `sudo apt-get")
    assert "Traceback" not in failed.stderr


def test_a_python_without_pip_brings_one_of_its_own(checkout: Path, tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(NO_PIP)
    assert start(checkout, "x", PYTHONPATH=str(tmp_path)).stdout.startswith("here ")


@pytest.mark.parametrize(
    ("output", "advice"),
    [
        ("Failed to establish a new connection: [Errno -3] Temporary failure in name resolution", "export HTTPS_PROXY"),
        ("SSL: CERTIFICATE_VERIFY_FAILED", "export PIP_INDEX_URL"),
        ("OSError: [Errno 28] No space left on device", "free about 1 GB"),
        ("ERROR: THESE PACKAGES DO NOT MATCH THE HASHES", "pip cache purge"),
        ("ERROR: a\nERROR: No matching distribution found for x", "No matching distribution found for x"),
        ("", "no reason given"),
    ],
)
def test_what_pip_says_becomes_a_sentence_that_helps(output: str, advice: str) -> None:
    said = bootstrap.install_advice(output, Path(".venv/install.log"))
    assert advice in said
    assert "start again" in said
    assert "\n" not in said


def test_all_tests_run_in_two_processes() -> None:
    """The browser's event loop and the asynchronous tests do not share a process."""
    others, pages = bootstrap.parts([], ROOT, 2)
    assert "--ignore=tests/browser" in others
    assert others[:2] == ["-n", "2"]
    assert pages == ["tests/browser"]


def test_options_go_to_both_processes_and_paths_to_their_own() -> None:
    assert bootstrap.parts(["-x", "-k", "signal"], ROOT, 1) == [
        ["--ignore=tests/browser", "-x", "-k", "signal"],
        ["-x", "-k", "signal", "tests/browser"],
    ]
    one = "tests/test_bootstrap.py::test_all_tests_run_in_two_processes"
    assert bootstrap.parts(["-q", one], ROOT, 2) == [["--ignore=tests/browser", "-q", one]]


@pytest.mark.parametrize(
    ("codes", "chosen", "expected"),
    [
        ([0, 0], False, 0),
        ([0, 1], False, 1),
        ([1, 0], False, 1),
        ([0, 5], False, 1),
        ([5, 5], False, 1),
        ([0, 5], True, 0),
        ([5, 5], True, 1),
        ([1, 5], True, 1),
        ([0, 4], True, 1),
        ([0, -9], False, 1),
    ],
)
def test_the_tests_pass_only_if_every_part_ran_and_passed(codes: list[int], *, chosen: bool, expected: int) -> None:
    """Finding no test at all is a failure, not a success."""
    assert bootstrap.status(codes, chosen=chosen) == expected


def fake_browser(folder: Path, name: str, *, works: bool = True) -> str:
    """Write a program that tells a version, or one that cannot start."""
    program = folder / name
    program.write_text("#!/bin/sh\necho Chromium 1\n" if works else "#!/bin/sh\nexit 127\n")
    program.chmod(0o755)
    return str(program)


def test_the_browser_asked_for_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = fake_browser(tmp_path, "mine")
    monkeypatch.setenv("BACKCAST_BROWSER", asked)
    assert browser.find(sys.executable) == asked


def test_a_browser_asked_for_that_does_not_start_is_never_replaced_silently(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BACKCAST_BROWSER", str(tmp_path / "nowhere"))
    with pytest.raises(bootstrap.Stop, match="unset BACKCAST_BROWSER"):
        browser.find(sys.executable)


def test_a_browser_on_the_path_is_found_and_a_stub_that_does_not_start_is_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_browser(tmp_path, "chromium", works=False)
    works = fake_browser(tmp_path, "microsoft-edge")
    monkeypatch.setenv("PATH", f"{tmp_path}:/nowhere")
    monkeypatch.delenv("BACKCAST_BROWSER", raising=False)
    assert browser.find(sys.executable) == works


def test_playwright_is_asked_for_a_browser_where_none_is_installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The environment's python first installs Chromium, then tells where it is."""
    downloaded = fake_browser(tmp_path, "downloaded-chrome")
    python = tmp_path / "python"
    python.write_text(f'#!/bin/sh\nif [ "$1" = -m ]; then exit 0; fi\necho {downloaded}\n')
    python.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("BACKCAST_BROWSER", raising=False)
    if not list(browser.installed()):
        assert browser.find(str(python)) == downloaded
    else:
        assert browser.from_playwright(str(python)) == downloaded


def test_without_any_browser_the_tests_fail_with_instructions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Never a silent skip."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(browser, "MAC_APPLICATIONS", ())
    monkeypatch.delenv("BACKCAST_BROWSER", raising=False)
    python = tmp_path / "python"
    python.write_text("#!/bin/sh\nexit 1\n")
    python.chmod(0o755)
    with pytest.raises(bootstrap.Stop, match="sudo apt-get install chromium"):
        browser.find(str(python))
