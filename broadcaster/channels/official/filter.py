"""A model of what the platform does to the HTML of an article: what it does not allow is gone, silently.

Source: developers.weixin.qq.com, draft/add (scripts are stripped, foreign images filtered), and what editors of
articles report: only inline styles stay, links lead to other articles only.
"""

from __future__ import annotations

from html import escape
from html.parser import HTMLParser
from urllib.parse import urlsplit

_GONE_WITH_CONTENT = frozenset(
    {"script", "style", "iframe", "object", "embed", "form", "textarea", "select", "noscript"}
)
_GONE = frozenset({"html", "head", "body", "link", "meta", "base", "input", "button", "title"})
_ATTRIBUTES_GONE = frozenset({"class", "id", "name", "srcset", "contenteditable"})
_OWN_HOSTS = (".qpic.cn", ".qlogo.cn")
_ARTICLES = "mp.weixin.qq.com"
_STYLES_GONE = ("position:", "javascript:", "expression(", "@import", "url(")


def filtered(html: str) -> str:
    """What stays of an article's HTML; the same, to the last character, where nothing is forbidden."""
    reader = _Filter()
    reader.feed(html)
    reader.close()
    return "".join(reader.kept)


class _Filter(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=False)
        self.kept: list[str] = []
        self._inside_gone = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _GONE_WITH_CONTENT:
            self._inside_gone += 1
        elif tag not in _GONE and not (tag == "img" and not _is_own(dict(attrs).get("src"))):
            self._keep(self._tag(tag, attrs))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in _GONE_WITH_CONTENT:
            self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        if tag in _GONE_WITH_CONTENT:
            self._inside_gone = max(0, self._inside_gone - 1)
        elif tag not in _GONE:
            self._keep(f"</{tag}>")

    def handle_data(self, data: str) -> None:
        self._keep(data)

    def handle_entityref(self, name: str) -> None:
        self._keep(f"&{name};")

    def handle_charref(self, name: str) -> None:
        self._keep(f"&#{name};")

    def _keep(self, text: str) -> None:
        if not self._inside_gone:
            self.kept.append(text)

    def _tag(self, tag: str, attrs: list[tuple[str, str | None]]) -> str:
        allowed = [(name, value) for name, value in attrs if _is_allowed(tag, name, value or "")]
        if allowed == attrs:
            return self.get_starttag_text() or ""
        return "".join([f"<{tag}", *(f' {name}="{escape(value or "")}"' for name, value in allowed), ">"])


def _is_allowed(tag: str, name: str, value: str) -> bool:
    if name.startswith("on") or name in _ATTRIBUTES_GONE:
        return False
    if name == "style":
        return not any(word in value.replace(" ", "").lower() for word in _STYLES_GONE)
    return not (tag == "a" and name == "href") or urlsplit(value).hostname == _ARTICLES


def _is_own(src: str | None) -> bool:
    return (urlsplit(src or "").hostname or "").endswith(_OWN_HOSTS)
