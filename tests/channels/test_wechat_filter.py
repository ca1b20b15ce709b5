"""What the platform strips of an article, and that ours have none of it."""

from __future__ import annotations

import pytest

from broadcaster.channels.official.filter import filtered
from broadcaster.channels.registry import CHANNELS
from broadcaster.planning.phase import Phase
from broadcaster.rendering.environment import Templates
from broadcaster.rendering.renderer import render
from tests.builders import example

ANNOUNCEMENT = example().announcement


@pytest.mark.parametrize("phase", Phase)
@pytest.mark.parametrize("language", ANNOUNCEMENT.languages)
def test_every_article_of_ours_passes_unchanged(phase: Phase, language: str) -> None:
    """To the last character, and within the limits."""
    message = render(Templates(), CHANNELS["wechat"].spec, ANNOUNCEMENT, phase, language)
    assert message.parts["body"].startswith("<section style=")
    assert filtered(message.parts["body"]) == message.parts["body"]
    assert message.over == ()


@pytest.mark.parametrize(
    ("html", "left"),
    [
        ("<p>a<script>alert(1)</script>b</p>", "<p>ab</p>"),
        ("<style>p{}</style><p>a</p>", "<p>a</p>"),
        ('<p class="x" id="y" onclick="z()" style="margin:0;">a</p>', '<p style="margin:0;">a</p>'),
        ('<p style="position: fixed">a</p>', "<p>a</p>"),
        ('<p style="background:url(https://example.org/x.png)">a</p>', "<p>a</p>"),
        ('<img src="https://example.org/x.png">a', "a"),
        ('<img src="https://mmbiz.qpic.cn/x">a', '<img src="https://mmbiz.qpic.cn/x">a'),
        ('<a href="https://example.org/">a</a>', "<a>a</a>"),
        ('<a href="https://mp.weixin.qq.com/s/x">a</a>', '<a href="https://mp.weixin.qq.com/s/x">a</a>'),
        ('<iframe src="https://example.org/">x</iframe>a', "a"),
        ("<form><input>x</form>a", "a"),
        ("<p>1 &lt; 2 &#38; 停</p>", "<p>1 &lt; 2 &#38; 停</p>"),
    ],
)
def test_what_is_forbidden_is_gone(html: str, left: str) -> None:
    """Silently: whoever wrote it would only see it in the article."""
    assert filtered(html) == left
