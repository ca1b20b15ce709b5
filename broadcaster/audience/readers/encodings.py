"""Which encoding a text file has: its byte order mark says so, else how it begins."""

from __future__ import annotations

import codecs

from broadcaster.errors import InputError

LOOKED_AT = 1_000_000
"""Bytes from the beginning."""

_MARKS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
WITH_NUL = frozenset({"utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be"})
"""Encodings in which a plain text has NUL bytes."""

_CHINESE = "gb18030"
# A subset is read as what it is a subset of; UTF-8 loses a mark at its beginning.
_WIDER = {"utf-8": "utf-8-sig", "gb2312": _CHINESE, "gbk": _CHINESE}
_WORDS = {"utf-8-sig": "UTF-8", "utf-16": "UTF-16", _CHINESE: "GB18030"}


def detected(beginning: bytes) -> str:
    """The encoding of a file that begins like this.

    A few bytes that are not UTF-8 in a text that otherwise is are a fault of their rows. Bytes beyond ASCII of which
    most are no UTF-8 but every one is GB18030 make the file a GB18030 one.
    """
    for mark, encoding in _MARKS.items():
        if beginning.startswith(mark):
            return encoding
    text = codecs.getincrementaldecoder("utf-8")("surrogateescape").decode(beginning)
    bad = sum("\udc80" <= character <= "\udcff" for character in text)
    good = sum(character > "\x7f" for character in text) - bad
    return "utf-8-sig" if bad <= good or not _is_chinese(beginning) else _CHINESE


def named(name: str) -> str:
    """The encoding that somebody named; raises InputError when there is none of that name."""
    try:
        found = codecs.lookup(name)
    except (LookupError, ValueError) as error:
        raise InputError.one(f"--encoding: there is no {name!r}", hint="such as utf-8 or gb18030") from error
    if not getattr(found, "_is_text_encoding", True):
        raise InputError.one(f"--encoding: {name!r} is not one of text", hint="such as utf-8 or gb18030")
    return _WIDER.get(found.name, found.name)


def in_words(encoding: str) -> str:
    """An encoding as an operator knows it."""
    return _WORDS.get(encoding, encoding)


def _is_chinese(beginning: bytes) -> bool:
    try:
        codecs.getincrementaldecoder(_CHINESE)("strict").decode(beginning)
    except UnicodeDecodeError:
        return False
    return True
