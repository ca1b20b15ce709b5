"""Failures: every one becomes a message that says what to do, and an exit code. No traceback reaches a user."""

from __future__ import annotations

import os
import signal
import sys
import tempfile
import traceback
from collections.abc import Callable
from types import FrameType
from typing import NoReturn

from broadcaster.errors import BroadcasterError, InputError

WRONG = 1
"""The input or the state is wrong; typer itself exits with 2 for wrong usage."""
INTERRUPTED = 130


def explained(command: Callable[[], object]) -> NoReturn:
    """Run a command; its failure is printed on standard error."""
    # Both, because a shell lets its background commands ignore Ctrl-C, and what we started must be stopped.
    signal.signal(signal.SIGTERM, _as_interrupt)
    signal.signal(signal.SIGINT, _as_interrupt)
    try:
        command()
    except KeyboardInterrupt:
        _stopped()
    except BroadcasterError as error:
        if _was_interrupted(error):
            _stopped()
        _say(error)
        sys.exit(WRONG)
    except BrokenPipeError:
        # Whoever read our output has enough of it; let the interpreter's last flush go nowhere.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(WRONG)
    except Exception as error:
        if _was_interrupted(error):
            _stopped()
        _print(f"error: an unexpected {type(error).__name__}; please report it with {_keep_traceback()}")
        sys.exit(WRONG)
    sys.exit(0)


def _say(error: BroadcasterError) -> None:
    if isinstance(error, InputError):
        for problem in error.problems:
            _print(f"error: {problem}")
        if len(error.problems) > 1:
            _print(f"{len(error.problems)} problems; nothing was stored")
        return
    _print(f"error: {error.message}")
    if error.hint:
        _print(f"  hint: {error.hint}")


def _stopped() -> NoReturn:
    _print("stopped")
    sys.exit(INTERRUPTED)


def _was_interrupted(error: BaseException | None) -> bool:
    """Whether Ctrl-C is behind an error: a library interrupted in the middle of its work may well raise its own."""
    while error is not None and not isinstance(error, KeyboardInterrupt):
        error = error.__cause__ or error.__context__
    return error is not None


def _print(text: str) -> None:
    sys.stderr.write(text + "\n")


def _keep_traceback() -> str:
    with tempfile.NamedTemporaryFile("w", prefix="broadcaster-", suffix=".traceback", delete=False) as file:
        traceback.print_exc(file=file)
    return file.name


def _as_interrupt(_number: int, _frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt
