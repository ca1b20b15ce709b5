"""Exports: every delivery in a file that other programs read, whole or not at all, and no formula in it."""

from __future__ import annotations

import csv
import gzip
import io
import resource
import stat
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow.parquet
import pytest
from sqlalchemy import text

from broadcaster.audience.pools import shown
from broadcaster.audience.rejects import no_formula
from broadcaster.errors import InputError, StateError
from broadcaster.reporting.export import UNREADABLE, Exported, deliveries
from broadcaster.reporting.sheets import check_ending, write_sheet
from tests.support.examples import SLUG, local
from tests.support.product import Product

PEOPLE = 300
AT = datetime(2022, 2, 18, 2, 0, tzinfo=UTC)


@pytest.fixture
def sent(product: Product) -> Product:
    """A notice that is sent by SMS and to the kiosks; the SMS provider refused its first call."""
    product.at(local("2022-02-18 10:00"))
    product.gather(PEOPLE)
    product.publish()
    sms, kiosk = product.open("sms"), product.open("kiosk")
    product.order(channel="sms", kind="status", status=400)
    product.deliver_all(sms)
    product.deliver_all(kiosk)
    product.merge_receipts()
    return product


def exported(product: Product, path: Path, *, failures: bool = False, phones: bool = False) -> int:
    """Export the example's deliveries; gives how many."""
    with product.transaction() as connection:
        rows = deliveries(connection, SLUG, product.parts.vault, shown(in_full=phones), failures_only=failures)
        return write_sheet(path, Exported, rows, no_formula)


def read_csv(path: Path) -> list[dict[str, str]]:
    """The rows of a CSV file."""
    data = path.read_bytes()
    words = (gzip.decompress(data) if path.suffix == ".gz" else data).decode("utf-8")
    return list(csv.DictReader(io.StringIO(words, newline="")))


@pytest.mark.parametrize("ending", [".csv", ".csv.gz"])
def test_every_delivery_is_a_row(sent: Product, tmp_path: Path, ending: str) -> None:
    """In the order of broadcasts and recipients, with what was said of it, in local time."""
    path = tmp_path / f"all{ending}"
    assert exported(sent, path) == PEOPLE + 3
    rows = read_csv(path)
    people = [row for row in rows if row["channel"] == "sms"]
    assert (len(rows), len(people)) == (PEOPLE + 3, PEOPLE)
    assert [int(row["recipient"]) for row in people] == sorted(int(row["recipient"]) for row in people)
    assert people[0]["outcome"] == "rejected"
    assert people[0]["reason"] == "sandbox-sms answered 400"
    last = people[-1]
    assert (last["phase"], last["provider"], last["revision"]) == ("notice", "sandbox-sms", "1")
    assert (last["outcome"], last["receipt"]) == ("accepted", "delivered")
    assert last["at"].startswith("2022-02-18T10:0")
    assert last["receipt_at"].endswith("+08:00")


def test_parquet_has_the_same_rows_with_types(sent: Product, tmp_path: Path) -> None:
    """Numbers are numbers, times are times; what is not there is null."""
    exported(sent, tmp_path / "all.csv")
    exported(sent, tmp_path / "all.parquet")
    table: Any = pyarrow.parquet.read_table(tmp_path / "all.parquet")
    rows, words = table.to_pylist(), read_csv(tmp_path / "all.csv")
    assert tuple(table.column_names) == Exported._fields == tuple(words[0])
    assert [str(row["recipient"]) for row in rows] == [row["recipient"] for row in words]
    first = next(row for row in rows if row["outcome"] == "rejected")
    assert (type(first["revision"]), first["at"].tzinfo is not None, first["receipt_at"]) == (int, True, None)


def test_phones_are_masked(sent: Product, tmp_path: Path) -> None:
    """No number of anybody is in the file."""
    exported(sent, tmp_path / "all.csv")
    rows = read_csv(tmp_path / "all.csv")
    assert {row["phone"][:12] for row in rows if row["channel"] == "sms"} == {"'+86100****0"}
    assert "+861000000" not in (tmp_path / "all.csv").read_text(encoding="utf-8")


def test_phones_are_there_in_full_when_they_are_wanted(sent: Product, tmp_path: Path) -> None:
    """As text, which no spreadsheet takes for a formula."""
    exported(sent, tmp_path / "all.csv", phones=True)
    phones = {row["phone"] for row in read_csv(tmp_path / "all.csv") if row["channel"] == "sms"}
    assert phones == {f"'+86{10_000_000_000 + number}" for number in range(PEOPLE)}


def test_endpoints_have_a_name_and_no_phone(sent: Product, tmp_path: Path) -> None:
    """They are known by their provider."""
    exported(sent, tmp_path / "all.csv")
    kiosks = [row for row in read_csv(tmp_path / "all.csv") if row["channel"] == "kiosk"]
    assert {(row["provider"], row["phone"]) for row in kiosks} == {
        *(("hall-kiosks", ""), ("bank-kiosks", ""), ("hospital-kiosks", "")),
    }


def test_failures_alone(sent: Product, tmp_path: Path) -> None:
    """Whoever was refused, and whoever a receipt failed."""
    with sent.transaction() as connection:
        statement = "UPDATE deliveries SET receipt = 'failed' WHERE receipt = 'delivered' AND provider = 'hall-kiosks'"
        connection.execute(text(statement))
    exported(sent, tmp_path / "failures.csv", failures=True)
    rows = read_csv(tmp_path / "failures.csv")
    assert {(row["outcome"], row["receipt"]) for row in rows} == {("rejected", ""), ("accepted", "failed")}
    assert 200 < len(rows) <= 202


def test_a_row_that_does_not_open_is_exported_all_the_same(sent: Product, tmp_path: Path) -> None:
    """Somebody changed it in the database; who was told what is still known of the others."""
    with sent.transaction() as connection:
        changed = "UPDATE recipients SET sealed = sealed || 'x' WHERE id = (SELECT max(id) FROM recipients)"
        connection.execute(text(changed))
    assert exported(sent, tmp_path / "all.csv") == PEOPLE + 3
    assert [row["phone"] for row in read_csv(tmp_path / "all.csv")].count(UNREADABLE) == 1


class Line(NamedTuple):
    """A row of a small sheet."""

    number: int
    words: str
    at: datetime | None


def lines(count: int) -> Iterator[Line]:
    """So many rows."""
    return (Line(number, f"words {number}", AT) for number in range(count))


@pytest.mark.parametrize("words", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "=cmd|' /C calc'!A0"])
def test_no_cell_is_a_formula(tmp_path: Path, words: str) -> None:
    """A provider's words could be made to run in the operator's spreadsheet."""
    write_sheet(tmp_path / "a.csv", Line, [Line(1, words, AT)], no_formula)
    (row,) = read_csv(tmp_path / "a.csv")
    assert row["words"] == f"'{words}"


@pytest.mark.parametrize("words", ['"quoted"', "a,b", "a\nb", "字", ""])
def test_other_words_stay_as_they_are(tmp_path: Path, words: str) -> None:
    """Also where CSV has to quote them."""
    for name in ("a.csv", "a.csv.gz"):
        write_sheet(tmp_path / name, Line, [Line(1, words, None)], no_formula)
        assert [(row["words"], row["at"]) for row in read_csv(tmp_path / name)] == [(words, "")]


@pytest.mark.parametrize("ending", [".csv", ".csv.gz", ".parquet"])
def test_only_its_owner_may_read_it(tmp_path: Path, ending: str) -> None:
    """Masked or not, it says who was told what."""
    path = tmp_path / f"a{ending}"
    path.write_text("what was there before", encoding="utf-8")
    path.chmod(0o644)
    assert write_sheet(path, Line, lines(3), no_formula) == 3
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [row.name for row in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize("ending", [".csv", ".csv.gz", ".parquet"])
def test_nothing_is_left_of_what_was_cut_off(tmp_path: Path, ending: str) -> None:
    """And what was there before is still there."""
    path = tmp_path / f"a{ending}"
    path.write_text("what was there before", encoding="utf-8")

    def broken() -> Iterator[Line]:
        yield from lines(30_000)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_sheet(path, Line, broken(), no_formula)
    assert [row.name for row in tmp_path.iterdir()] == [path.name]
    assert path.read_text(encoding="utf-8") == "what was there before"


@pytest.mark.parametrize("name", ["full.csv", "full.csv.gz", "full.parquet"])
@pytest.mark.parametrize("rows", [1, 50_000])
def test_a_full_disk_is_explained(tmp_path: Path, name: str, rows: int) -> None:
    """Whether it is noticed in the middle or only at the end; the device itself stays where it is."""
    path = tmp_path / name
    path.symlink_to("/dev/full")
    with pytest.raises(StateError, match="No space left on device"):
        write_sheet(path, Line, lines(rows), no_formula)
    assert path.is_symlink()
    assert Path("/dev/full").is_char_device()


@pytest.mark.parametrize("ending", [".csv", ".csv.gz", ".parquet"])
def test_a_disk_that_fills_up_leaves_nothing(tmp_path: Path, ending: str) -> None:
    """An ordinary file that cannot grow any more."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, before[1]))
    try:
        with pytest.raises(StateError, match="cannot be written: File too large"):
            write_sheet(tmp_path / f"a{ending}", Line, lines(50_000), no_formula)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert list(tmp_path.iterdir()) == []


def test_a_device_is_written_to_as_it_is(tmp_path: Path) -> None:
    """`--out /dev/stdout` is a pipe for another program."""
    check_ending(Path("/dev/stdout"))
    assert write_sheet(Path("/dev/null"), Line, lines(3), no_formula) == 3
    assert Path("/dev/null").is_char_device()


def test_a_folder_that_is_not_there_is_explained(tmp_path: Path) -> None:
    """With its name."""
    with pytest.raises(StateError, match=r"gone/a\.csv cannot be written: No such file"):
        write_sheet(tmp_path / "gone" / "a.csv", Line, lines(3), no_formula)


@pytest.mark.parametrize("name", ["a.xlsx", "a", "a.gz", "a.csv.zip"])
def test_an_ending_that_says_no_kind_is_refused(tmp_path: Path, name: str) -> None:
    """Before anything is asked of the database."""
    with pytest.raises(InputError, match=r"must end in \.csv, \.csv\.gz or \.parquet"):
        check_ending(tmp_path / name)
