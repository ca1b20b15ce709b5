"""The only place with jinja2: a sandboxed, strict environment over our templates and a site's own.

A site's folder comes first and overrides ours file by file. HTML templates escape what they print.
"""

from __future__ import annotations

import html
from collections.abc import Iterator, Set
from pathlib import Path
from typing import Any

from jinja2 import FileSystemLoader, StrictUndefined, Template, TemplateError, TemplateNotFound, meta, nodes
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
        except TemplateSyntaxError as error:
            raise _error(error.filename or name, error.lineno, f"syntax error: {error.message}") from error
        except UndefinedError as error:
            raise _error(*_where(error, name), f"undefined variable: {error.message}") from error
        except SecurityError as error:
            raise _error(*_where(error, name), f"not allowed in a template: {error}") from error
        except (TemplateError, TypeError, ValueError, ArithmeticError) as error:
            raise _error(*_where(error, name), str(error)) from error
        # Plain parts of an HTML template were escaped like the rest of it; unescaping gives back exactly what was said.
        return text if keep_html or not name.endswith(f".html{TEMPLATE_SUFFIX}") else html.unescape(text)

    def blocks(self, name: str) -> list[str]:
        """The names of a template's blocks, in the order in which it writes them."""
        return list(self._load(name).blocks)

    def place(self, name: str, quote: str = "") -> Place:
        """Where `quote` is written out: in a template or one it includes; else the template as a whole."""
        for file in self._with_snippets(name) if quote else ():
            source, path = self._source(file)
            for number, line in enumerate(source.splitlines(), 1):
                if quote in line:
                    return Place(path, number)
        return Place(self._source(name)[1])

    def _with_snippets(self, name: str) -> Iterator[str]:
        yield name
        source, path = self._source(name)
        for included in meta.find_referenced_templates(self._environment.parse(source, name, path)):
            if included:
                yield from self._with_snippets(included)

    def check_names(self, name: str, known: Set[str]) -> None:
        """Raise InputError when a template or one it includes uses a name nobody defines, in whatever branch."""
        source, path = self._source(name)
        try:
            tree = self._environment.parse(source, name, path)
        except TemplateSyntaxError as error:
            raise _error(path, error.lineno, f"syntax error: {error.message}") from error
        unknown = sorted(meta.find_undeclared_variables(tree) - known)
        if unknown:
            line = next((number for number, text in enumerate(source.splitlines(), 1) if unknown[0] in text), None)
            raise _error(path, line, f"undefined variable: {unknown[0]!r} is undefined")
        own = {node.name for node in tree.find_all(nodes.Name) if node.ctx == "store"}
        for included in meta.find_referenced_templates(tree):
            if included:
                self.check_names(included, known | own)

    def _source(self, name: str) -> tuple[str, str]:
        loader = self._environment.loader
        assert loader is not None  # noqa: S101 - set in __init__; the library types it as optional
        try:
            source, path, _ = loader.get_source(self._environment, name)
        except TemplateNotFound as error:
            raise self._missing(name) from error
        except UnicodeDecodeError as error:
            raise _error(name, None, f"not UTF-8 text at byte {error.start}") from error
        return source, path or name

    def _load(self, name: str) -> Template:
        try:
            return self._environment.get_template(name)
        except TemplateSyntaxError as error:
            raise _error(error.filename or name, error.lineno, f"syntax error: {error.message}") from error
        except TemplateNotFound as error:
            raise self._missing(name) from error

    def _missing(self, name: str) -> InputError:
        hint = f"looked in {', '.join(str(folder) for folder in self.folders)}"
        return InputError.one("the template does not exist", place=Place(name), hint=hint)


def _error(path: str, line: int | None, message: str) -> InputError:
    return InputError.one(message, place=Place(path, line))


def _render_block(template: Template, block: str, values: dict[str, Any]) -> str:
    context = template.new_context(values)
    # Statements before the blocks ({% set %}, {% import %}) count for each of them.
    for _ in template.root_render_func(context):
        pass
    return "".join(template.blocks[block](context))


def _where(error: Exception, name: str) -> tuple[str, int | None]:
    """The template file and line of an error: jinja2 rewrites the frames of generated code to the template's own."""
    found: tuple[str, int | None] = (name, None)
    traceback = error.__traceback__
    while traceback is not None:
        file = traceback.tb_frame.f_code.co_filename
        if file.endswith(TEMPLATE_SUFFIX):
            found = (file, traceback.tb_lineno)
        traceback = traceback.tb_next
    return found
