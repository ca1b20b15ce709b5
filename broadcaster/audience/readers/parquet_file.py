"""Parquet files, by pyarrow (`broadcaster[parquet]`), a batch of rows at a time."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from broadcaster.audience.readers.sheet import Cells, Sheet, cell_text
from broadcaster.errors import InputError, MissingPartError, Place

_ROWS_AT_ONCE = 10_000
_BUFFER_BYTES = 1 << 20


@contextmanager
def opened(path: Path) -> Iterator[Sheet]:
    """The rows of a Parquet file; lists become cells with `;` between their members."""
    parquet = _part("pyarrow.parquet")
    with _explained(path):
        # Read as it is wanted: the whole of a large row group would not fit into the memory that we promise.
        file = parquet.ParquetFile(path, buffer_size=_BUFFER_BYTES, pre_buffer=False)
    with file:
        done = [0]
        total = file.metadata.num_rows
        yield Sheet(
            header=[name.strip().lower() for name in file.schema_arrow.names],
            rows=_rows(file, path, done),
            share=lambda: done[0] / total if total else 1.0,
        )


def _rows(file: Any, path: Path, done: list[int]) -> Iterator[tuple[int, Cells]]:
    with _explained(path):
        for batch in file.iter_batches(_ROWS_AT_ONCE, use_threads=False):
            columns = [[cell_text(value) for value in column.to_pylist()] for column in batch.columns]
            yield from enumerate(zip(*columns, strict=True), done[0] + 1)
            done[0] += len(batch)


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    arrow = _part("pyarrow")
    try:
        yield
    except (arrow.ArrowException, OSError, ValueError) as error:
        first = str(error).split("\n", 1)[0]
        raise InputError.one(f"not a Parquet file: {first}", place=Place(str(path))) from error


def _part(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ImportError as error:
        hint = "pip install 'broadcaster[parquet]'"
        raise MissingPartError("reading Parquet needs the package pyarrow", hint=hint) from error
