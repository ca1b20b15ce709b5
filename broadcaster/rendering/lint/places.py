"""Places: where in the files a statement and a fact stand."""

from __future__ import annotations

from dataclasses import dataclass

from broadcaster.announcement.rules import FieldPath
from broadcaster.announcement.source import Source, dotted
from broadcaster.errors import Place
from broadcaster.rendering.environment import Templates
from broadcaster.rendering.message import Message, MessageSpec
from broadcaster.rendering.renderer import template_name


@dataclass(frozen=True, slots=True)
class Places:
    """The files behind a set of messages. Without a source, a field is known by its path alone."""

    templates: Templates
    source: Source | None = None

    def field(self, path: FieldPath) -> Place:
        """Where a field of the announcement stands; for one left out, where its parent does."""
        return self.source.place(path) if self.source else Place(field=dotted(path) or None)

    def template(self, spec: MessageSpec, message: Message, quote: str = "") -> Place:
        """The template of a message, with the line in it or in a snippet where `quote` is written out."""
        return self.templates.place(template_name(spec, message.phase, message.language), quote)
