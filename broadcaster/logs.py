"""Logs: one JSON line an event on standard error. They carry ids and counts, never people.

The product's own events and whatever the libraries have to say go the same way, so that every line of a process can be
read by a program. A number or a token that some library puts into its words all the same is masked on the way out.
"""

from __future__ import annotations

import logging
import re
import sys
from contextlib import AbstractContextManager
from typing import TextIO

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

OURS = "broadcaster"
"""The logger of our own events, shown from the level of the settings on; everybody else's from WARNING on."""
_OWN_HANDLERS = ("uvicorn", "uvicorn.error", "uvicorn.access", "celery", "celery.task", "celery.redirected")
"""Loggers that libraries give handlers of their own, with another form of line."""

_NUMBER = re.compile(r"(?:(?<![0-9A-Za-z+])|(?<=%2[BCbc]))(\+\d{5}|(?:86)?1[3-9]\d)(\d{2,6})(\d{4})(?![0-9A-Za-z])")
"""A telephone number in running text: E.164, or a mainland mobile with or without its country code.

Also in an address, behind an encoded comma or plus."""

_TOKEN = re.compile(r"([?&](?:[\w-]*(?:token|secret|signature)|key|mac|openid)=)[^&\s\"']+", re.IGNORECASE)
"""What a server's access log must not hold of an address: a secret, or the follower whom a platform's event names."""

_OPENID = re.compile(r"(?<![\w-])(o[\w-])[\w-]{22}([\w-]{4})(?![\w-])", re.ASCII)
"""An openid in running text: 28 characters, of which the first is an o."""


_SAID_BY_US = ("requests_hardened.ip_filter",)
"""Libraries that warn of what they refuse, which our own error then says in an operator's words."""


def configure(level: str) -> None:
    """Send structlog's events and the libraries' to standard error; may be called again, with another level."""
    wanted = logging.getLevelNamesMapping().get(level.upper(), logging.INFO)
    structlog.configure(
        processors=[*_CONTEXT, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(wanted),
        logger_factory=lambda *_: logging.getLogger(OURS),
    )
    root = logging.getLogger()
    for handler in [row for row in root.handlers if isinstance(row, _Lines)]:
        root.removeHandler(handler)
    root.addHandler(_Lines())
    root.setLevel(max(wanted, logging.WARNING))
    logging.getLogger(OURS).setLevel(wanted)
    for name in _OWN_HANDLERS:
        logging.getLogger(name).handlers.clear()
        logging.getLogger(name).propagate = True
    for name in _SAID_BY_US:
        logging.getLogger(name).setLevel(logging.ERROR)
    logging.captureWarnings(capture=True)


def bound(**ids: str | int) -> AbstractContextManager[None]:
    """Every line that is logged in the block carries these: `bound(batch=17, broadcast="7d60…", channel="sms")`.

    Ids and slugs only; what the block binds ends with it, and a block inside another adds to it.
    """
    return structlog.contextvars.bound_contextvars(**ids)


class _Lines(logging.StreamHandler[TextIO]):
    """Writes to whatever standard error is at that moment, and never more than a line an event."""

    def __init__(self) -> None:
        logging.Handler.__init__(self)
        self.setFormatter(
            structlog.stdlib.ProcessorFormatter(
                foreign_pre_chain=_CONTEXT,
                processors=[
                    structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                    structlog.processors.format_exc_info,
                    _mask,
                    structlog.processors.JSONRenderer(ensure_ascii=False, default=str),
                ],
            )
        )

    @property
    def stream(self) -> TextIO:  # type: ignore[override]
        """Standard error as it is now."""
        return sys.stderr

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - logging's name for it
        """A line that cannot be written is lost; a worker's work is not."""


def _mask(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Hide the middle of every number and openid, and tokens in addresses: a last resort, nothing of ours says one."""
    return {name: _masked(value) if isinstance(value, str) else value for name, value in event.items()}


def _masked(text: str) -> str:
    return _OPENID.sub(r"\1****\2", _TOKEN.sub(r"\1****", _NUMBER.sub(r"\1****\3", text)))


_CONTEXT: list[Processor] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
]
