"""Logs: one JSON line an event, whoever says it; ids and counts, never people."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

BEGINNING = """
import logging, warnings, structlog
from broadcaster import logs
logs.configure("INFO")
log = structlog.get_logger()
"""


def lines(program: str) -> list[dict[str, Any]]:
    """What a program of these lines logs, each line as its data."""
    ran = subprocess.run([sys.executable, "-c", BEGINNING + program], capture_output=True, text=True, check=True)
    assert ran.stdout == ""
    return [json.loads(line) for line in ran.stderr.splitlines()]


def test_an_event_is_a_line() -> None:
    """With its level and its time in UTC; Chinese as it is."""
    (line,) = lines("log.info('batch_left', batch=7, why='已暂停')")
    assert (line["event"], line["batch"], line["why"], line["level"]) == ("batch_left", 7, "已暂停", "info")
    assert line["timestamp"].endswith("Z")


@pytest.mark.parametrize(
    ("says", "words"),
    [
        ("logging.getLogger('sqlalchemy.pool').warning('lost %s', 'it')", "lost it"),
        ("logging.getLogger('uvicorn.error').error('no port')", "no port"),
        ("warnings.warn('old', DeprecationWarning, stacklevel=1)", "DeprecationWarning: old"),
    ],
)
def test_libraries_speak_in_the_same_form(says: str, words: str) -> None:
    """Warnings of Python itself too."""
    (line,) = lines(f"warnings.simplefilter('always')\n{says}")
    assert words in line["event"]
    assert line["level"] in {"warning", "error"}


def test_a_token_in_an_address_is_masked() -> None:
    """A vendor's callback carries one, and a server logs the address that was asked for."""
    says = "logging.getLogger('uvicorn.access').warning('%s %s', 'POST', '/c/sms/east?a=1&token=hunter2&key=k3&mac=4f')"
    (line,) = lines(says)
    assert line["event"] == "POST /c/sms/east?a=1&token=****&key=****&mac=****"


def test_the_follower_in_an_address_is_masked() -> None:
    """An official account's events name whom they are about in their address."""
    says = "logging.getLogger('uvicorn.access').warning('%s', '/callbacks/followers/a?nonce=1&openid=oV5Crjpxga&x=2')"
    (line,) = lines(says)
    assert line["event"] == "/callbacks/followers/a?nonce=1&openid=****&x=2"


def test_what_is_bound_is_on_every_line_of_the_block() -> None:
    """The libraries' as well, and not on those afterwards; an inner block adds to it."""
    found = lines(
        """
with logs.bound(batch=7):
    with logs.bound(broadcast="7d60", channel="sms"):
        log.info("inner")
        logging.getLogger("sqlalchemy").warning("library")
    log.info("outer")
log.info("after")
"""
    )
    ids = [{name: line[name] for name in ("batch", "broadcast", "channel") if name in line} for line in found]
    both = {"batch": 7, "broadcast": "7d60", "channel": "sms"}
    assert ids == [both, both, {"batch": 7}, {}]


def test_a_block_that_fails_takes_its_ids_with_it() -> None:
    """The next batch of the worker is not logged under the last one's number."""
    (line,) = lines(
        """
try:
    with logs.bound(batch=7):
        raise ValueError
except ValueError:
    log.info("next")
"""
    )
    assert "batch" not in line


def test_an_exception_is_one_line_without_what_the_variables_held() -> None:
    """A traceback says where; the values may be people."""
    found = lines(
        """
def deliver(name):
    raise RuntimeError("the provider broke off")
try:
    deliver("王".join("ab"))
except RuntimeError:
    log.exception("failed")
    logging.getLogger("celery.app.trace").error("failed", exc_info=True)
"""
    )
    assert len(found) == 2
    for line in found:
        assert "RuntimeError: the provider broke off" in line["exception"]
        assert "a王b" not in json.dumps(line, ensure_ascii=False)


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("oV5CrjpxgaGXNHIQigzNlgLTnwic", "oV****nwic"),
        ("+8613800138000", "+86138****8000"),
        ("8613800138000", "86138****8000"),
        ("13800138000", "138****8000"),
        ("PhoneNumbers=13800138000%2C13800138001", "PhoneNumbers=138****8000%2C138****8001"),
        ("Key (x)=(+442071838750) is there", "Key (x)=(+44207****8750) is there"),
    ],
)
def test_a_number_that_slips_in_is_masked(said: str, shown: str) -> None:
    """In our own words and in a library's, in fields and in exceptions."""
    found = lines(
        f"""
log.info("event", why="{said}")
logging.getLogger("psycopg").warning("{said}")
try:
    raise ValueError("{said}")
except ValueError:
    log.exception("failed")
"""
    )
    assert (found[0]["why"], found[1]["event"]) == (shown, shown)
    assert f"ValueError: {shown}" in found[2]["exception"]


@pytest.mark.parametrize("said", ["7d608e5992a2351a501d", "2022-02-26T00:00:00+08:00", "20220226000000", "10.0.0.138"])
def test_what_is_no_number_of_anybody_stays(said: str) -> None:
    """Ids, times and addresses are what one looks for."""
    (line,) = lines(f"log.info('event', id='{said}')")
    assert line["id"] == said


def test_a_level_keeps_back_what_is_below_it() -> None:
    """Ours and the libraries'; what a library has to say below a warning is never wanted."""
    found = lines(
        """
logging.getLogger("kombu").info("chatter")
log.debug("detail")
logs.configure("ERROR")
log.warning("quiet now")
logging.getLogger("kombu").warning("still quiet")
log.error("loud")
"""
    )
    assert [line["event"] for line in found] == ["loud"]


def test_configuring_again_does_not_double_the_lines() -> None:
    """A worker does it when it starts and when it asks for its logs."""
    assert len(lines("logs.configure('INFO')\nlog.info('once')\nlogging.getLogger('kombu').error('once')")) == 2
