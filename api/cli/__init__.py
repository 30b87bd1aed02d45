"""The command line: ``backcast COMMAND``. Each module of this package registers its own commands.

What the engine refuses is one sentence on standard error and exit code 1, a command used wrongly exit code 2; never a
traceback.
"""

import os
import sys
from importlib import import_module
from pkgutil import iter_modules

import typer
from pydantic import ValidationError
from rich.console import Console
from sqlalchemy.exc import ArgumentError, OperationalError

from engine.errors import EngineError

_HELP = "Customer success as code: rules and playbooks in files, runs that people approve, effects that are measured."

_SHARED = {"workspace", "processes", "planning", "backtest_tables", "reasons"}
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
    try:
        build()(prog_name="backcast")
    except EngineError as error:
        _stop(str(error))
    except OperationalError as error:
        _stop(f"The database did not answer: {error.orig}")
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


def _stop(sentence: str) -> None:
    Console(stderr=True, soft_wrap=True, highlight=False, markup=False).print(sentence)
    sys.exit(1)
