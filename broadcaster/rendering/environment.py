"""The only place with jinja2: a sandboxed, strict environment over our templates and a site's own.

A site's folder comes first and overrides ours file by file. HTML templates escape what they print.
"""

from __future__ import annotations

import html
from pathlib import Path
from types import TracebackType
from typing import Any

from jinja2 import FileSystemLoader, StrictUndefined, Template, TemplateError, TemplateNotFound, meta
from jinja2.exceptions import SecurityError, TemplateSyntaxError, UndefinedError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from broadcaster.errors import InputError, Place

TEMPLATE_SUFFIX = ".j2"


def shipped_templates() -> Path:
    """The folder of our own templates: inside the package when installed, beside it in a checkout."""
    package = Path(__file__).resolve().parent.parent
    installed = package / "_templates"
    return installed if installed.is_dir() else package.parent / "templates"


class Templates:
    """The templates of a site: ours, with its own laid over them."""

    def __init__(self, site_folder: Path | None = None) -> None:
        folders = [site_folder] if site_folder else []
        self.folders = [*folders, shipped_templates()]
        self._environment = ImmutableSandboxedEnvironment(
            loader=FileSystemLoader(self.folders),
            undefined=StrictUndefined,
            autoescape=lambda name: name is not None and name.endswith(f".html{TEMPLATE_SUFFIX}"),
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=False,
        )

    def names(self) -> list[str]:
        """Every template, as `<channel>/<phase>.<language>.<ext>.j2`."""
        return self._environment.list_templates(extensions=[TEMPLATE_SUFFIX.removeprefix(".")])

    def render(self, name: str, block: str | None, values: dict[str, Any], *, keep_html: bool) -> str:
        """Render a template, or one block of it; raises InputError with the template's path and line."""
        template = self._load(name)
        try:
            text = template.render(values) if block is None else _render_block(template, block, values)
        except UndefinedError as error:
            raise self._error(name, f"undefined variable: {error.message}", _line_of(error.__traceback__)) from error
        except SecurityError as error:
            raise self._error(name, f"not allowed in a template: {error}", _line_of(error.__traceback__)) from error
        except (TemplateError, TypeError, ValueError, ArithmeticError) as error:
            raise self._error(name, str(error), _line_of(error.__traceback__)) from error
        # Plain parts of an HTML template were escaped like the rest of it; unescaping gives back exactly what was said.
        return text if keep_html or not name.endswith(f".html{TEMPLATE_SUFFIX}") else html.unescape(text)

    def blocks(self, name: str) -> list[str]:
        """The names of a template's blocks, in the order in which it writes them."""
        return list(self._load(name).blocks)

    def check_names(self, name: str, known: set[str]) -> None:
        """Raise InputError when a template uses a name nobody defines, in whatever branch it stands."""
        source, path, _ = self._source(name)
        tree = self._environment.parse(source, name, path)
        unknown = sorted(meta.find_undeclared_variables(tree) - known)
        if unknown:
            line = next((number for number, text in enumerate(source.splitlines(), 1) if unknown[0] in text), None)
            raise self._error(name, f"undefined variable: {unknown[0]!r} is undefined", line)

    def _source(self, name: str) -> tuple[str, str | None, Any]:
        loader = self._environment.loader
        assert loader is not None  # noqa: S101 - set in __init__; the library types it as optional
        return loader.get_source(self._environment, name)

    def _load(self, name: str) -> Template:
        try:
            return self._environment.get_template(name)
        except TemplateSyntaxError as error:
            raise self._error(error.name or name, f"syntax error: {error.message}", error.lineno) from error
        except TemplateNotFound as error:
            hint = f"looked in {', '.join(str(folder) for folder in self.folders)}"
            raise InputError.one("the template does not exist", place=Place(name), hint=hint) from error
        except UnicodeDecodeError as error:
            raise self._error(name, f"not UTF-8 text at byte {error.start}", None) from error

    def _error(self, name: str, message: str, line: int | None) -> InputError:
        path = next((folder / name for folder in self.folders if (folder / name).is_file()), Path(name))
        return InputError.one(message, place=Place(str(path), line))


def _render_block(template: Template, block: str, values: dict[str, Any]) -> str:
    context = template.new_context(values)
    # Statements before the blocks ({% set %}, {% import %}) count for each of them.
    for _ in template.root_render_func(context):
        pass
    return "".join(template.blocks[block](context))


def _line_of(traceback: TracebackType | None) -> int | None:
    """The template line of an error: jinja2 rewrites the frames of generated code to the template's own lines."""
    line = None
    while traceback is not None:
        if traceback.tb_frame.f_code.co_filename.endswith(TEMPLATE_SUFFIX):
            line = traceback.tb_lineno
        traceback = traceback.tb_next
    return line
