"""Campaign time: real, unless a rehearsal moved it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from broadcaster import clock
from tests.builders import at

START = at("2022-02-26 00:00")


def test_campaign_time_is_real_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Aware, in UTC."""
    monkeypatch.delenv(clock.OFFSET_FILE_VARIABLE, raising=False)
    before, now, after = clock.machine_now(), clock.now(), clock.machine_now()
    assert before <= now <= after
    assert now.tzinfo is UTC


def test_a_rehearsal_moves_it_for_whoever_follows_the_file(tmp_path: Path) -> None:
    """It goes on from there at real speed; machine time does not move."""
    clock.move_to(START, tmp_path / "offset")
    with clock.following(tmp_path / "offset"):
        assert timedelta(0) <= clock.now() - START < timedelta(seconds=60)
        assert clock.machine_now() - clock.now() > timedelta(days=365)


def test_it_can_be_moved_again_while_it_is_followed(tmp_path: Path) -> None:
    """Every reading looks at the file."""
    path = tmp_path / "offset"
    clock.move_to(START, path)
    with clock.following(path):
        clock.move_to(START + timedelta(days=30), path)
        assert timedelta(days=30) <= clock.now() - START < timedelta(days=30, seconds=60)


def test_after_the_block_time_is_what_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also when it was moved before, and when the block fails."""
    outer, inner = tmp_path / "outer", tmp_path / "inner"
    clock.move_to(START, outer)
    clock.move_to(START + timedelta(days=1), inner)
    monkeypatch.setenv(clock.OFFSET_FILE_VARIABLE, str(outer))
    with pytest.raises(KeyError), clock.following(inner):
        raise KeyError
    assert clock.now() - START < timedelta(seconds=60)


def test_milliseconds_of_a_browser_are_an_instant() -> None:
    """UTC, to the millisecond."""
    assert clock.from_milliseconds(1645804800500) == datetime(2022, 2, 25, 16, 0, 0, 500000, UTC)
