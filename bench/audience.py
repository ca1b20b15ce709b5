"""People to tell: a CSV file of any size, brought into a database by the product's own import."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bench.memory import Watch
from broadcaster.errors import StateError
from broadcaster.settings import Settings
from broadcaster.stack import environment

FIRST_PHONE = 10_000_000_000
"""Mainland mobiles never begin with 10: a mistake reaches nobody."""
ENGLISH_EVERY = 20
LONGEST_IMPORT = 3600.0
"""Seconds."""

_FAMILIES = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗"
_GIVEN = ("伟", "芳", "娜", "敏", "静", "秀英", "丽", "强", "磊", "洋", "艳", "勇", "军", "杰", "娟", "涛", "超", "明")
_TAGS = ("", "retired", "employee", "flexible", "retired;chronic", "student")


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import took."""

    rows: int
    seconds: float
    peak_rss_mb: float


def write_people(path: Path, rows: int) -> None:
    """A CSV file with people of made-up names; every twentieth reads English, most have a tag or two."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["phone", "name", "language", "tags"])
        writer.writerows(_people(rows))


def import_people(settings: Settings, path: Path, rows: int) -> Imported:
    """Import a file by the command line, as an operator does, and watch its memory."""
    program = str(Path(sys.executable).with_name("broadcaster"))
    command = [program, "audience", "import", str(path), "--json"]
    started = time.monotonic()
    with Watch(str(settings.data.resolve())) as watch:
        found = subprocess.run(
            command, env=environment(settings), capture_output=True, text=True, timeout=LONGEST_IMPORT, check=False
        )
    seconds = time.monotonic() - started
    if found.returncode or json.loads(found.stdout)["added"] != rows:
        raise StateError(f"the import of {rows} people went wrong: {found.stderr or found.stdout}")
    return Imported(rows, seconds, watch.peak_sum_mb)


def _people(rows: int) -> Iterator[tuple[str, str, str, str]]:
    families, given, tags = len(_FAMILIES), len(_GIVEN), len(_TAGS)
    for number in range(rows):
        name = _FAMILIES[number % families] + _GIVEN[number // families % given]
        language = "en" if number % ENGLISH_EVERY == 0 else "zh-Hans"
        yield str(FIRST_PHONE + number), name, language, _TAGS[number % tags]
