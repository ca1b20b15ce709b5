"""From the rows of a sheet to people: their address, name, language, tags; and what is wrong with a row."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from broadcaster.audience.pools import PHONES, Pool
from broadcaster.audience.readers import Sheet
from broadcaster.audience.readers.sheet import BETWEEN_TAGS, Cells
from broadcaster.errors import InputError, Place

DEFAULT_LANGUAGE = "zh-Hans"
LONGEST_NAME = 200
LONGEST_TAGS = 1000
"""Characters of the cell."""
FURTHER = ("name", "language", "tags")
"""The columns beside that of the address."""

Person = tuple[str, str, str, tuple[str, ...]]
"""Address, name, language, tags (sorted)."""
Reject = Callable[[int, str, Cells], None]
"""Told the line, the reason and the row of each bad one."""

_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Z][a-z]{3})?(-([A-Z]{2}|[0-9]{3}))?")
_UNNAMEABLE = re.compile(r"[\s()]")
"""What a segment (`tag:WORD`) cannot hold."""
_NAMED = 4
"""So many tags that no segment can name are told of."""
_REMEMBERED = 20_000
"""Different cells that are understood once; whoever has more of them is no audience with tags."""


@dataclass(slots=True)
class People:
    """The people of a sheet; raises InputError when it has no column of their addresses."""

    sheet: Sheet
    place: str
    reject: Reject
    pool: Pool = PHONES
    read: int = 0
    """Rows that were looked at so far, good or bad."""
    unnameable: set[str] = field(default_factory=set)
    """Some of the tags that no segment can name."""
    _address: Callable[[str], str] = field(init=False)
    _languages: dict[str, str] = field(default_factory=dict)
    _tags: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        # Asked for every row, so it is looked up once.
        self._address = self.pool.read

    def rows(self) -> Iterator[Person]:
        """The good rows; bad ones are rejected. Blank ones count as none."""
        header = self.sheet.header
        at = self._positions(header)
        width = len(header)
        for line, row in self.sheet.rows:
            try:
                if len(row) < width:
                    if not any(row):
                        continue
                    raise ValueError(f"{len(row)} columns, but the header has {width}")
                person = self._person(row, at)
            except ValueError as error:
                if not any(map(str.strip, row)):
                    continue
                self.reject(line, _words(error, self.sheet.encoding), row)
            else:
                yield person
            finally:
                self.read += 1

    def _person(self, row: Cells, at: Sequence[int | None]) -> Person:
        address_at, name_at, language_at, tags_at = at
        address = self._address(row[address_at or 0].strip())
        name = "" if name_at is None else row[name_at].strip()
        if not name.isprintable() or len(name) > LONGEST_NAME:
            _check_name(name)
        cell = "" if language_at is None else row[language_at]
        language = self._languages.get(cell) or self._language(cell)
        cell = "" if tags_at is None else row[tags_at]
        tags = self._tags.get(cell)
        return address, name, language, self._tags_of(cell) if tags is None else tags

    def _positions(self, header: Cells) -> list[int | None]:
        place, columns = Place(self.place, 1), (self.pool.column, *FURTHER)
        if self.pool.column not in header:
            hint = f"expected a first line with the columns {', '.join(columns)}"
            raise InputError.one(f"the column `{self.pool.column}` is missing", place=place, hint=hint)
        twice = [name for name in columns if header.count(name) > 1]
        if twice:
            raise InputError.one(f"the column `{twice[0]}` is there twice", place=place)
        return [header.index(name) if name in header else None for name in columns]

    def _language(self, cell: str) -> str:
        language = cell.strip() or DEFAULT_LANGUAGE
        if not _LANGUAGE.fullmatch(language):
            raise ValueError("the language is not a BCP 47 tag such as zh-Hans or en")
        if len(self._languages) < _REMEMBERED:
            self._languages[cell] = language
        return language

    def _tags_of(self, cell: str) -> tuple[str, ...]:
        if len(cell) > LONGEST_TAGS:
            raise ValueError(f"the tags have more than {LONGEST_TAGS} characters")
        tags = tuple(sorted({tag.strip() for tag in cell.split(BETWEEN_TAGS) if tag.strip()}))
        for tag in tags:
            tag.encode()
            if any(unicodedata.category(character) == "Cc" for character in tag):
                raise ValueError("a tag has a control character")
            if _UNNAMEABLE.search(tag) and len(self.unnameable) < _NAMED:
                self.unnameable.add(tag)
        if len(self._tags) < _REMEMBERED:
            self._tags[cell] = tags
        return tags


def _check_name(name: str) -> None:
    """Beyond ASCII, spaces and marks of some scripts are not printable either: only the harmful ones are refused."""
    name.encode()
    if len(name) > LONGEST_NAME:
        raise ValueError(f"the name has more than {LONGEST_NAME} characters")
    if any(unicodedata.category(character) == "Cc" for character in name):
        raise ValueError("the name has a control character")


def _words(error: ValueError, encoding: str) -> str:
    """The reason, without what stands in the row."""
    return f"not {encoding or 'UTF-8'} text" if isinstance(error, UnicodeError) else str(error)
