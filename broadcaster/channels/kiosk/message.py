"""What a kiosk screen consists of: a title, pages that are shown in turn, and a line that says whom to call.

Limits come from reading at two metres: letters of about 24 mm leave 44 columns (22 Chinese characters) and nine rows on
a page of a 1080-pixel screen.
"""

from __future__ import annotations

from broadcaster.rendering.measures import columns, rows
from broadcaster.rendering.message import Measure, MessageSpec, Parts

PAGE_COLUMNS = 44
PAGE_ROWS = 9
MAX_PAGES = 8
MAX_TITLE_COLUMNS = 40
MAX_CONTACT_COLUMNS = 60


def measure(parts: Parts) -> tuple[Measure, ...]:
    """Title and contact in columns, the number of pages, and the rows of each page."""
    pages = page_names(parts)
    return (
        Measure("title", columns(parts["title"]), "columns", MAX_TITLE_COLUMNS),
        Measure("contact", columns(parts["contact"]), "columns", MAX_CONTACT_COLUMNS),
        Measure("screen", len(pages), "pages", MAX_PAGES),
        *(Measure(page, rows(parts[page], PAGE_COLUMNS), "rows", PAGE_ROWS) for page in pages),
    )


def page_names(parts: Parts) -> list[str]:
    """The parts that are pages and say something, in the order in which they are shown."""
    return [name for name in parts if name.startswith("page_") and parts[name]]


SPEC = MessageSpec(slug="kiosk", extension="txt", parts=("title", "page_*", "contact"), measure=measure)
