"""Reading the platform's XML: small trees of text, without a document type, and so without anybody's own entities."""

from __future__ import annotations

from xml.parsers import expat

MAX_DEPTH = 12
_ROOT = 1


class RefusedXmlError(Exception):
    """Not XML, or XML that the platform does not send."""


def leaves(body: bytes) -> list[tuple[str, str]]:
    """Every element that holds text only, as (name, text), in order; raises RefusedXmlError."""
    reader = _Reader()
    try:
        reader.parser.Parse(body, True)
    except (expat.ExpatError, ValueError, LookupError):  # the others: an encoding that is none
        raise RefusedXmlError("it is not XML that can be read") from None
    return reader.found


def fields(body: bytes) -> dict[str, str]:
    """The same by name; the first of a name stands."""
    found: dict[str, str] = {}
    for name, text in leaves(body):
        found.setdefault(name, text)
    return found


class _Reader:
    """Collects the leaves. What could make a small body large, or fetch something, ends it."""

    def __init__(self) -> None:
        self.found: list[tuple[str, str]] = []
        self._open: list[str] = []
        self._text: list[str] = []
        self._is_leaf = False
        self.parser = expat.ParserCreate()
        self.parser.buffer_text = True
        self.parser.StartDoctypeDeclHandler = self._refuse
        self.parser.EntityDeclHandler = self._refuse
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._text.append

    def _refuse(self, *_: object) -> None:
        raise RefusedXmlError("it declares a document type")

    def _start(self, name: str, _: object) -> None:
        self._open.append(name)
        if len(self._open) > MAX_DEPTH:
            raise RefusedXmlError("it is nested too deeply")
        self._text.clear()
        self._is_leaf = True

    def _end(self, name: str) -> None:
        if self._is_leaf and len(self._open) > _ROOT:
            self.found.append((name, "".join(self._text)))
        self._open.pop()
        self._is_leaf = False
