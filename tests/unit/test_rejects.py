"""Bad rows are kept beside the file: for its owner, and for a spreadsheet that runs nothing."""

from __future__ import annotations

import csv
import stat
from pathlib import Path

import pytest

from broadcaster.audience.rejects import Rejects
from broadcaster.errors import InputError


def kept(path: Path) -> list[list[str]]:
    """The rows of a rejects file."""
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file))


def test_a_bad_row_is_kept_with_line_and_reason(tmp_path: Path) -> None:
    """Readable by its owner only."""
    rejects = Rejects(tmp_path / "people.csv.gz")
    rejects.add(7, "not a phone number", ["12", "name"])
    rejects.close()
    assert rejects.path == tmp_path / "people.rejects.csv"
    assert kept(rejects.path) == [["line", "reason", "row"], ["7", "not a phone number", "12", "name"]]
    assert stat.S_IMODE(rejects.path.stat().st_mode) == 0o600


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"])
def test_no_spreadsheet_runs_a_cell(tmp_path: Path, cell: str) -> None:
    """Whoever opens the file must not run what a stranger wrote."""
    rejects = Rejects(tmp_path / "people.csv")
    rejects.add(1, "reason", [cell])
    rejects.close()
    assert kept(tmp_path / "people.rejects.csv")[1][2] == f"'{cell}"


def test_reasons_are_counted_without_what_differs(tmp_path: Path) -> None:
    """Ten thousand rows that are too short are one reason."""
    rejects = Rejects(tmp_path / "people.csv")
    for line, columns in enumerate((1, 2, 3)):
        rejects.add(line, f"{columns} columns, but the header has 4", [])
    rejects.close()
    assert dict(rejects.reasons) == {"N columns, but the header has N": 3}
    assert rejects.rows == 3


def test_an_earlier_file_goes_when_nothing_is_rejected(tmp_path: Path) -> None:
    """It would name people as rejected who no longer are."""
    (tmp_path / "people.rejects.csv").write_text("old", encoding="utf-8")
    rejects = Rejects(tmp_path / "people.csv")
    rejects.close()
    assert (rejects.path, list(tmp_path.iterdir())) == (None, [])


def test_an_earlier_file_stays_when_the_import_fails(tmp_path: Path) -> None:
    """Nothing has changed then, and it still says what was wrong."""
    old = tmp_path / "people.rejects.csv"
    old.write_text("old", encoding="utf-8")
    Rejects(tmp_path / "people.csv").abandon()
    assert old.read_text(encoding="utf-8") == "old"


def test_a_link_in_its_place_is_not_followed(tmp_path: Path) -> None:
    """What somebody else put there is not written to."""
    victim = tmp_path / "victim"
    victim.write_text("as it was", encoding="utf-8")
    (tmp_path / "people.rejects.csv").symlink_to(victim)
    rejects = Rejects(tmp_path / "people.csv")
    rejects.add(1, "reason", [])
    rejects.close()
    assert victim.read_text(encoding="utf-8") == "as it was"


def test_where_it_cannot_be_written_the_import_says_so(tmp_path: Path) -> None:
    """With the rejects file's name, because the imported one is not at fault."""
    rejects = Rejects(tmp_path / "gone" / "people.csv")
    with pytest.raises(InputError, match=r"people\.rejects\.csv: cannot be written: No such file or directory"):
        rejects.add(1, "reason", [])
