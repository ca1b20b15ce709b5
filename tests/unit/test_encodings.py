"""A text file's encoding is found out from how it begins."""

from __future__ import annotations

import codecs

import pytest

from broadcaster.audience.readers.encodings import detected, in_words, named
from broadcaster.errors import InputError

CHINESE = "phone,name\n13800138000,刘德华\n13800138001,王伟\n"


@pytest.mark.parametrize(
    ("beginning", "encoding"),
    [
        pytest.param(b"", "utf-8-sig", id="nothing"),
        pytest.param(b"phone\n13800138000\n", "utf-8-sig", id="ASCII"),
        pytest.param(CHINESE.encode(), "utf-8-sig", id="UTF-8"),
        pytest.param(codecs.BOM_UTF8 + CHINESE.encode(), "utf-8-sig", id="UTF-8 with a mark"),
        pytest.param(CHINESE.encode("gb18030"), "gb18030", id="GB18030"),
        pytest.param(CHINESE.encode("gbk"), "gb18030", id="GBK"),
        pytest.param(CHINESE.encode("gb18030")[:-12], "gb18030", id="GB18030 cut in a character"),
        pytest.param(CHINESE.encode()[:-7], "utf-8-sig", id="UTF-8 cut in a character"),
        pytest.param(codecs.BOM_UTF16_LE + CHINESE.encode("utf-16-le"), "utf-16", id="UTF-16"),
        pytest.param("phone,name\n1,𠮷田\n".encode("gb18030"), "gb18030", id="four bytes a character"),
        pytest.param(CHINESE.encode() + b"13800138002,\xc1\xf5\n", "utf-8-sig", id="UTF-8 with a bad name"),
        pytest.param(b"phone\n\xff\xff\xff\xff", "utf-8-sig", id="neither"),
    ],
)
def test_the_beginning_tells_the_encoding(beginning: bytes, encoding: str) -> None:
    """A mark decides; else UTF-8 unless most of it is not, and all of it is GB18030."""
    assert detected(beginning) == encoding


@pytest.mark.parametrize(
    ("name", "encoding"),
    [("UTF-8", "utf-8-sig"), ("gb2312", "gb18030"), ("GBK", "gb18030"), ("GB18030", "gb18030"), ("big5", "big5")],
)
def test_an_encoding_can_be_named(name: str, encoding: str) -> None:
    """However it is written; a subset is read as the whole."""
    assert named(name) == encoding


@pytest.mark.parametrize("name", ["klingon", "base64", "", "a\0b"])
def test_a_name_of_no_encoding_is_refused(name: str) -> None:
    """With two that there are."""
    with pytest.raises(InputError, match="such as utf-8 or gb18030"):
        named(name)


def test_an_encoding_is_called_what_people_call_it() -> None:
    """In the reasons of bad rows."""
    assert [in_words(name) for name in ("utf-8-sig", "gb18030", "big5")] == ["UTF-8", "GB18030", "big5"]
