"""YAML sources: plain data plus the line of every field, so that an error can say where it is.

YAML 1.2 scalars only: `10:00`, `on` and `2022-02-26 00:00` stay the text that was written.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from broadcaster.announcement.rules import FieldPath, Finding
from broadcaster.errors import InputError, Place, Problem

MAX_BYTES = 1_000_000
_INT = re.compile(r"[-+]?[0-9]{1,18}")
_FLOAT = re.compile(r"[-+]?[0-9]*\.?[0-9]+(?:[eE][-+]?[0-9]{1,3})?|[-+]?[0-9]+\.")


@dataclass(frozen=True, slots=True)
class Source:
    """What a YAML text says: `data` as plain values, and where each field path stands."""

    data: Any
    file: str
    lines: dict[FieldPath, int] = field(repr=False)
    repeated: tuple[FieldPath, ...] = ()

    def place(self, path: FieldPath) -> Place:
        """Where `path` stands; for a field that is not there, where its nearest parent stands."""
        known = path
        while known and known not in self.lines:
            known = known[:-1]
        return Place(self.file, self.lines.get(known, 1), dotted(path) or None)

    def problems(self, found: tuple[Finding, ...]) -> list[Problem]:
        """Findings as problems at their places."""
        return [Problem(finding.message, self.place(finding.path), finding.hint) for finding in found]

    def repeats(self) -> list[Problem]:
        """A key written twice in one mapping: one of the two would be lost in silence."""
        return [Problem("the field is given twice", self.place(path)) for path in self.repeated]


def dotted(path: FieldPath) -> str:
    """`("impacts", 0, "window")` as `impacts[0].window`."""
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path).removeprefix(".")


def read_source(path: Path) -> Source:
    """Read a YAML file; raises InputError when it is missing, not UTF-8, too large or not YAML."""
    try:
        if path.stat().st_size > MAX_BYTES:
            raise InputError.one(f"larger than {MAX_BYTES:,} bytes", place=Place(str(path)))
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError.one(f"not UTF-8 text at byte {error.start}", place=Place(str(path))) from error
    except OSError as error:
        raise InputError.one(f"cannot be read: {error.strerror}", place=Place(str(path))) from error
    return parse_source(text, str(path))


def parse_source(text: str, file: str) -> Source:
    """Parse YAML text; raises InputError with the line of a syntax error."""
    lines: dict[FieldPath, int] = {}
    repeated: list[FieldPath] = []
    try:
        root = YAML(typ="rt", pure=True).compose(StringIO(text))
        if root is None:
            raise InputError.one("the file is empty", place=Place(file))
        data = _plain(root, (), lines, repeated)
    except YAMLError as error:
        raise InputError([_syntax_problem(error, file)]) from error
    except RecursionError:
        raise InputError.one("nested too deeply, or an alias that holds itself", place=Place(file)) from None
    return Source(data, file, lines, tuple(repeated))


def to_yaml(data: dict[str, Any]) -> str:
    """Plain data as YAML text, in the order given."""
    out = StringIO()
    writer = YAML(typ="rt", pure=True)
    writer.width = 110
    writer.indent(mapping=2, sequence=4, offset=2)
    writer.dump(data, out)
    return out.getvalue()


def explain(error: ValidationError, prefix: FieldPath = ()) -> Iterator[Finding]:
    """A pydantic error as findings in the operator's words, one for each thing that is wrong."""
    details = error.errors(include_url=False)
    broken = {detail["loc"][:length] for detail in details for length in range(len(detail["loc"]))}
    for detail in details:
        if detail["type"] == "too_short" and detail["loc"] in broken:
            continue  # pydantic does not count broken items: the list is not short, what is in it is wrong
        path = (*prefix, *(part for part in detail["loc"] if not _is_union_tag(part)))
        yield Finding(path, _words(detail["type"], detail["msg"], path), None)


def _words(kind: str, message: str, path: FieldPath) -> str:
    if kind == "extra_forbidden":
        return f"unknown field {path[-1]!r}"
    if kind == "missing":
        return "the field is missing"
    if kind == "string_pattern_mismatch":
        return f"not in the expected form: {message}"
    return message.removeprefix("Value error, ")


def _is_union_tag(part: str | int) -> bool:
    # pydantic puts the name of the tried model into the path of a union's errors
    return isinstance(part, str) and part[:1].isupper()


def _syntax_problem(error: YAMLError, file: str) -> Problem:
    if isinstance(error, MarkedYAMLError):
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else None
        return Problem(f"not valid YAML: {error.problem or error.context}", Place(file, line))
    return Problem(f"not valid YAML: {str(error).splitlines()[0]}", Place(file))


def _plain(node: Node, path: FieldPath, lines: dict[FieldPath, int], repeated: list[FieldPath]) -> Any:
    lines.setdefault(path, node.start_mark.line + 1)
    if isinstance(node, MappingNode):
        return _mapping(node, path, lines, repeated)
    if isinstance(node, SequenceNode):
        return [_plain(item, (*path, number), lines, repeated) for number, item in enumerate(node.value)]
    if isinstance(node, ScalarNode):
        return _scalar(node)
    raise TypeError(f"unexpected YAML node {type(node).__name__}")


def _mapping(node: MappingNode, path: FieldPath, lines: dict[FieldPath, int], repeated: list[FieldPath]) -> Any:
    result: dict[str, Any] = {}
    for key_node, value_node in node.value:
        key = str(key_node.value)
        here = (*path, key)
        if key in result:
            repeated.append(here)
        lines[here] = key_node.start_mark.line + 1
        result[key] = _plain(value_node, here, lines, repeated)
    return result


def _scalar(node: ScalarNode) -> Any:
    kind = str(node.tag).rpartition(":")[2]
    text = str(node.value)
    if kind == "null":
        return None
    if kind == "bool" and text.lower() in ("true", "false"):
        return text.lower() == "true"
    # What is no plain number (`.inf`, `0x1F`, `1_000`) stays the text that was written.
    if kind == "int" and _INT.fullmatch(text):
        return int(text)
    if kind == "float" and _FLOAT.fullmatch(text):
        return float(text)
    return text
