"""Files of rows are read whatever their format; what is none is refused with a reason."""

from __future__ import annotations

import gzip
import io
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from broadcaster.audience import readers
from broadcaster.audience.readers.csv_file import LONGEST_LINE
from broadcaster.errors import InputError, MissingPartError

TABLE = [["phone", "name"], ["13800138000", "刘德华"], ["13800138001", ""]]
CSV = "phone,name\n13800138000,刘德华\n13800138001,\n"
GZIPPED = gzip.compress(CSV.encode(), mtime=0)
"""The same bytes in every process: workers of one run must name their tests alike."""


def read(path: Path, encoding: str | None = None) -> list[list[str]]:
    """The header and the rows of a file."""
    with readers.opened(path, encoding) as sheet:
        return [list(sheet.header), *(list(row) for _, row in sheet.rows)]


def workbook(rows: list[list[Any]]) -> bytes:
    """An XLSX file."""
    book, file = openpyxl.Workbook(), io.BytesIO()
    for row in rows:
        book.worksheets[0].append(row)
    book.save(file)
    return file.getvalue()


def parquet(**columns: Any) -> bytes:
    """A Parquet file."""
    file = io.BytesIO()
    pq.write_table(pa.table(columns), file)
    return file.getvalue()


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(CSV.encode(), id="UTF-8"),
        pytest.param(b"\xef\xbb\xbf" + CSV.encode(), id="UTF-8 with a mark"),
        pytest.param(CSV.encode("gb18030"), id="GB18030"),
        pytest.param(CSV.encode("utf-16"), id="UTF-16"),
        pytest.param(CSV.replace("\n", "\r\n").encode(), id="lines of Windows"),
        pytest.param(CSV.replace("刘德华", '"刘德华"').encode(), id="quoted"),
        pytest.param(CSV.replace("phone,name", " Phone , NAME").encode(), id="a header in capitals"),
        pytest.param(GZIPPED, id="gzip"),
        pytest.param(gzip.compress(CSV.encode("gb18030"), mtime=0), id="gzip of GB18030"),
        pytest.param(workbook(TABLE), id="XLSX"),
        pytest.param(parquet(phone=["13800138000", "13800138001"], name=["刘德华", ""]), id="Parquet"),
    ],
)
def test_every_format_gives_the_same_rows(tmp_path: Path, content: bytes) -> None:
    """What it is stands in the file, not in its name."""
    file = tmp_path / "people"
    file.write_bytes(content)
    assert read(file) == TABLE


def test_an_encoding_that_is_named_is_used(tmp_path: Path) -> None:
    """Where the beginning does not tell, or tells wrong."""
    file = tmp_path / "people.csv"
    file.write_text("phone,name\n1,鄭\n", encoding="big5")
    assert read(file, "big5")[1] == ["1", "鄭"]


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(workbook([["phone", "tags"], [13800138000, None]]), id="XLSX"),
        pytest.param(parquet(phone=[13800138000], tags=[None]), id="Parquet"),
        pytest.param(parquet(phone=[13800138000.0], tags=pa.array([None], pa.list_(pa.string()))), id="floats"),
    ],
)
def test_a_number_is_read_as_its_digits(tmp_path: Path, content: bytes) -> None:
    """Spreadsheets and data frames keep phones as numbers; nothing is nothing."""
    file = tmp_path / "people"
    file.write_bytes(content)
    assert read(file) == [["phone", "tags"], ["13800138000", ""]]


def test_a_list_is_a_cell_of_tags(tmp_path: Path) -> None:
    """As a CSV file would have it."""
    file = tmp_path / "people.parquet"
    file.write_bytes(parquet(phone=["1"], tags=[["retired", "chronic"]]))
    assert read(file)[1] == ["1", "retired;chronic"]


def test_rows_have_the_line_that_an_editor_shows(tmp_path: Path) -> None:
    """Also after a cell with a line end."""
    file = tmp_path / "people.csv"
    file.write_text('phone,name\n1,"a\nb"\n2,c\n', encoding="utf-8")
    with readers.opened(file) as sheet:
        assert [line for line, _ in sheet.rows] == [3, 4]


@pytest.mark.parametrize("content", [CSV.encode(), GZIPPED, workbook(TABLE), parquet(phone=["1"])])
def test_the_share_that_was_read_grows_to_the_whole(tmp_path: Path, content: bytes) -> None:
    """For the progress bar."""
    file = tmp_path / "people"
    file.write_bytes(content)
    with readers.opened(file) as sheet:
        assert 0 <= sheet.share() <= 1
        assert list(sheet.rows)
        assert sheet.share() == 1


def broken_workbook() -> bytes:
    """A zip archive that is no workbook."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("word/document.xml", "<document/>")
    return file.getvalue()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        pytest.param(gzip.compress(CSV.encode() * 9, mtime=0)[:-9], "the gzip file is damaged", id="half a gzip file"),
        pytest.param(
            gzip.compress(CSV.encode(), mtime=0)[:12] + b"\0" * 30, "the gzip file is damaged", id="broken gzip"
        ),
        pytest.param(parquet(phone=["1"])[:-9], "not a Parquet file", id="half a Parquet file"),
        pytest.param(b"PAR1", "not a Parquet file", id="only its mark"),
        pytest.param(workbook(TABLE)[:900], "not an XLSX file", id="half an XLSX file"),
        pytest.param(broken_workbook(), "not an XLSX file", id="another archive"),
        pytest.param(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "the old format: save it as XLSX or CSV", id="old Excel"),
        pytest.param(b"%PDF-1.7", "this is a PDF", id="PDF"),
        pytest.param(b"\x7fELF\0\0\0\0", "it begins with NUL bytes", id="a program"),
        pytest.param(gzip.compress(b"PAR1\0\0\0", mtime=0), "it begins with NUL bytes", id="gzip of something else"),
        pytest.param(
            b'phone\n"' + b"1" * 200_000,
            "people:2: not a CSV file: a cell of more than 131,072",
            id="a quote without an end",
        ),
        pytest.param(
            b"phone\n" + b"1" * LONGEST_LINE, "people:2: .*a line of more than 1,000,000", id="a line without an end"
        ),
        pytest.param(b"\xff\xfep\0h", "it breaks off, or is not UTF-16", id="half a character"),
    ],
)
def test_what_cannot_be_read_is_refused(tmp_path: Path, content: bytes, words: str) -> None:
    """With the file's name and what is wrong, and never with what stands in it."""
    file = tmp_path / "people"
    file.write_bytes(content)
    with pytest.raises(InputError, match=words) as caught:
        read(file)
    assert "people" in str(caught.value)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        pytest.param(lambda path: None, "there is no such file", id="nothing"),
        pytest.param(lambda path: path.mkdir(), "this is a folder", id="a folder"),
        pytest.param(lambda path: path.symlink_to("/dev/null"), "not a regular file", id="a device"),
        pytest.param(lambda path: path.symlink_to(path), "cannot be read", id="a circle"),
    ],
)
def test_what_is_no_file_is_refused(tmp_path: Path, make: Callable[[Path], None], words: str) -> None:
    """Whatever stands at the path."""
    make(tmp_path / "people.csv")
    with pytest.raises(InputError, match=words):
        read(tmp_path / "people.csv")


@pytest.mark.parametrize(
    ("package", "content"), [("pyarrow", parquet(phone=["1"])), ("openpyxl", workbook(TABLE))], ids=["parquet", "xlsx"]
)
def test_a_package_that_is_missing_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, package: str, content: bytes
) -> None:
    """With the extra that brings it."""
    for name in (package, f"{package}.parquet"):
        monkeypatch.setitem(sys.modules, name, None)
    file = tmp_path / "people"
    file.write_bytes(content)
    with pytest.raises(MissingPartError, match=f"needs the package {package}") as caught:
        read(file)
    assert caught.value.hint
    assert "pip install 'broadcaster[" in caught.value.hint
