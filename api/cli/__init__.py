"""The command line: ``backcast COMMAND``. Each module of this package registers its own commands.

What the engine refuses is one sentence on standard error and exit code 1, a command used wrongly one sentence and exit
code 2; never a traceback. With ``--json`` standard output is one JSON value then, too: ``{"error": "…"}``.
"""

import os
import sys
from contextlib import nullcontext
from importlib import import_module
from pkgutil import iter_modules

import typer
from pydantic import ValidationError
from rich.console import Console
from sqlalchemy.exc import ArgumentError, DBAPIError, OperationalError

from api.cli.refusing import WRONG_USE, as_json, wants_json, wrong_use
from engine.errors import EngineError

_HELP = "Customer success as code: rules and playbooks in files, runs that people approve, effects that are measured."

_SHARED = {
    "workspace",
    "processes",
    "planning",
    "backtest_tables",
    "reasons",
    "refusing",
    "members",
    "timeline_lines",
    "forecast_lines",
}
"""Modules here without commands of their own."""


def build() -> typer.Typer:
    """The application with every module's commands."""
    app = typer.Typer(
        name="backcast", help=_HELP, no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False
    )
    for name in sorted({module.name for module in iter_modules(__path__)} - _SHARED):
        import_module(f"{__name__}.{name}").register(app)
    return app


def main() -> None:
    """Run one command and exit with its code."""
    with as_json() if wants_json(sys.argv[1:]) else nullcontext():
        _run()


def _run() -> None:
    try:
        code = build()(prog_name="backcast", standalone_mode=False)
        sys.exit(code if isinstance(code, int) else 0)
    except WRONG_USE as error:
        _stop(*wrong_use(error))
    except (typer.Abort, KeyboardInterrupt):
        _stop("Stopped.", 130)
    except EngineError as error:
        _stop(str(error))
    except OperationalError as error:
        _stop(f"The database did not answer: {error.orig}")
    except DBAPIError as error:
        _stop(f"The database cannot be used ({error.orig}): check --data, BACKCAST_DATA and BACKCAST_DATABASE_URL.")
    except ArgumentError:
        _stop(
            "BACKCAST_DATABASE_URL names no database that can be used: it reads like "
            "postgresql+psycopg://user:password@host/name; without it there is a SQLite file in the data folder."
        )
    except ValidationError as error:
        _stop(_settings(error))
    except BrokenPipeError:  # whoever read our output has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except OSError as error:
        _stop(f'"{error.filename}": {error.strerror}' if error.filename else str(error))


def _settings(error: ValidationError) -> str:
    """What is wrong with the environment, one line for each variable."""
    wrong = (
        f"BACKCAST_{'_'.join(str(part) for part in each['loc']).upper()} is not usable: {each['msg']}"
        for each in error.errors(include_url=False)
    )
    return "\n".join(wrong)


def _stop(sentence: str, code: int = 1) -> None:
    if sentence:
        Console(stderr=True, soft_wrap=True, highlight=False, markup=False).print(sentence)
    sys.exit(code)
