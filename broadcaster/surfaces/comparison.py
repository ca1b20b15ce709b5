"""Comparison: does what was read back from a surface show what should show? Pure.

A document is compared field by field and phase by phase. A page of somebody's own shows the right thing when it embeds
our script or page, or when its visible text holds the words of the present phase in one language at least.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from html.parser import HTMLParser
from typing import Any, NamedTuple

Document = Mapping[str, Any]

_UNSEEN = frozenset({"script", "style", "template", "noscript", "title"})


class Difference(NamedTuple):
    """What is not as it should be; `slug` is the announcement's, empty when it is about the whole surface."""

    slug: str
    words: str


def differences(expected: Document, body: bytes, embedded: str) -> tuple[Difference, ...]:
    """What differs between the document as it should be now and what an address answered.

    `embedded` is how the addresses of our own scripts and pages begin.
    """
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        # What is no JSON is a page.
        return tuple(_of_page(expected, body.decode("utf-8", "replace"), embedded))
    return tuple(_of_document(expected, found))


def _of_document(expected: Document, found: Any) -> Iterator[Difference]:
    if not _is_document(found, expected["surface"]):
        yield Difference("", f"it is no document of the surface {expected['surface']}")
        return
    if found["seq"] < expected["seq"]:
        yield Difference("", f"the document {found['seq']} is older than {expected['seq']}")
    if found["seq"] > expected["seq"]:
        yield Difference("", f"the document {found['seq']} is newer than ours, {expected['seq']}")
    now = expected["issued_at"]
    wanted, shown = _current(expected, now), _current(found, now)
    for slug in wanted.keys() - shown.keys():
        yield Difference(slug, "it is not shown")
    for slug in shown.keys() - wanted.keys():
        yield Difference(slug, "it is still shown")
    for slug in wanted.keys() & shown.keys():
        yield from (Difference(slug, words) for words in _of_entry(wanted[slug], shown[slug]))


def _is_document(found: Any, surface: str) -> bool:
    try:
        phases = [phase for row in found["announcements"] for phase in row["phases"] if row["id"]]
        timed = all(phase["from"] >= 0 and (phase["until"] is None or phase["until"] >= 0) for phase in phases)
        return bool(found["surface"] == surface and found["seq"] >= 0 and timed)
    except (TypeError, KeyError):
        return False


def _current(document: Document, now: int) -> dict[str, Document]:
    """Slug → entry, with the phases that are not over; one without any shows nothing."""
    found: dict[str, Document] = {}
    for row in _rows(document):
        phases = [phase for phase in row["phases"] if phase["until"] is None or phase["until"] > now]
        if phases:
            found[row["id"]] = {**row, "phases": phases}
    return found


def _rows(document: Document) -> Sequence[Document]:
    rows: Sequence[Document] = document["announcements"]
    return rows


def _of_entry(wanted: Document, shown: Document) -> Iterator[str]:
    for name, value in wanted.items():
        if name != "phases" and shown.get(name) != value:
            yield f"its {name} is {_short(shown.get(name))} and not {_short(value)}"
    times = [_times(phase) for phase in wanted["phases"]]
    if times != [_times(phase) for phase in shown["phases"]]:
        yield f"its phases are {_names(shown)} and not {_names(wanted)}, or change at other times"
        return
    for right, other in zip(wanted["phases"], shown["phases"], strict=True):
        yield from _of_phase(right, other)


def _of_phase(wanted: Document, shown: Document) -> Iterator[str]:
    texts = shown.get("text")
    for language, parts in wanted["text"].items():
        if not isinstance(texts, dict) or texts.get(language) != parts:
            yield f"its {language} text of {wanted['phase']} differs"
    if shown.get("dismissible") != wanted["dismissible"]:
        yield f"whether {wanted['phase']} can be dismissed differs"


def _times(phase: Document) -> tuple[Any, ...]:
    return phase.get("phase"), phase.get("from"), phase.get("until")


def _names(entry: Document) -> str:
    return ", ".join(str(phase.get("phase")) for phase in entry["phases"])


def _short(value: object) -> str:
    text = str(value)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


_LONGEST = 40


class _Page(HTMLParser):
    """The words that a reader sees, without any space, and the addresses that the page embeds."""

    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []
        self.embedded: list[str] = []
        self._unseen = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """What is embedded, and where something begins that nobody sees."""
        self.embedded += [value for name, value in attrs if name == "src" and value]
        self._unseen += tag in _UNSEEN

    def handle_endtag(self, tag: str) -> None:
        """Where something unseen ends."""
        self._unseen -= tag in _UNSEEN and self._unseen > 0

    def handle_data(self, data: str) -> None:
        """Words."""
        if not self._unseen:
            self.words.append(data)


def _of_page(expected: Document, html: str, embedded: str) -> Iterator[Difference]:
    page = _Page()
    page.feed(html)
    page.close()
    if any(address.startswith(embedded) for address in page.embedded):
        return
    seen, now = _squeezed("".join(page.words)), expected["issued_at"]
    for slug, entry in _current(expected, now).items():
        phase = next((one for one in entry["phases"] if one["from"] <= now), None)
        if phase and not any(_holds(seen, parts) for parts in phase["text"].values()):
            yield Difference(slug, f"the page does not have its text of {phase['phase']} in any language")


def _holds(seen: str, parts: Mapping[str, Any]) -> bool:
    """Whether a page has the whole text: line by line, for it may break lines as it likes."""
    texts = parts.get("pages") or [parts["text"]]
    return all(_squeezed(line) in seen for text in texts for line in text.splitlines())


def _squeezed(text: str) -> str:
    return "".join(text.split())
