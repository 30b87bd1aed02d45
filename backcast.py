"""Entry point: of a checkout (``python3 backcast.py …``) and of the installed application (``backcast …``).

In a checkout the packages sit next to this file, and `bootstrap` sees to it that the command runs in a virtual
environment that has everything. In a wheel the packages sit in ``backcast_app/``, so that installing us puts no
generic name such as ``api`` into a shared site-packages.
"""

import sys
from pathlib import Path

_HERE = Path(__file__).resolve().parent
_BUNDLE = _HERE / "backcast_app"


def main() -> None:
    """Run the command line of the installed application."""
    sys.path.insert(0, str(_BUNDLE if _BUNDLE.is_dir() else _HERE))

    from api.cli import main as run

    run()


if __name__ == "__main__":
    if not _BUNDLE.is_dir():
        import bootstrap

        bootstrap.enter(sys.argv[1:])
    main()
