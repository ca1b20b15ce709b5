"""Signatures and encryption of events, against examples that other programs for the platform are tested with."""

from __future__ import annotations

import pytest

from broadcaster.channels.official.crypto import UnsealedError, is_signed, seal, signature, unseal, wrong_key

KEY = "kWxPEV2UEDyxWpmPdKC3F4dgPDmOvfKX1HGnEUDS1aR"
"""This and what follows are in the tests of wechatpy and of libraries in other languages."""
TOKEN, ACCOUNT = "123456", "wx49f0ab532d5d035a"
SEALED = "4ByGGj+sVCYcvGeQYhaKIk1o0pQRNbRjxybjTGblXrBaXlTXeOo1+bXFXDQQb1o6co6Yh9Bv41n7hOchLF6p+Q=="
TIMESTAMP, NONCE = "1411443780", "437374425"
SIGNED = "dd6b9c95b495b3f7e2901bfbc76c664930ffdb96"


def test_what_the_platform_signed_is_signed() -> None:
    """In whatever order the words come; with another nonce it is not."""
    assert signature(TOKEN, TIMESTAMP, NONCE, SEALED) == SIGNED
    assert is_signed(SIGNED, SEALED, NONCE, TOKEN, TIMESTAMP)
    assert not is_signed(SIGNED, TOKEN, TIMESTAMP, "437374424", SEALED)


def test_what_the_platform_sealed_can_be_opened() -> None:
    """A number, in this example."""
    assert unseal(KEY, ACCOUNT, SEALED) == b"5927782489442352469"


def test_what_is_sealed_here_is_what_others_seal() -> None:
    """Given the same random bytes."""
    assert seal(KEY, "rust", b"test", b"1234567890123456") == "9s4gMv99m88kKTh/H8IdkNiFGeG9pd7vNWl50fGRWXY="


@pytest.mark.parametrize("length", [0, 1, 11, 12, 13, 27, 28, 29, 5_000])
def test_any_length_is_opened_as_it_was_sealed(length: int) -> None:
    """Also when it fills its last block."""
    message = "停".encode() * length
    assert unseal(KEY, ACCOUNT, seal(KEY, ACCOUNT, message)) == message


@pytest.mark.parametrize(
    "sealed",
    ["", "?", "AAAA", SEALED[:-4], SEALED[4:], "A" * 64, "A" * 63 + "é", seal(KEY, "another", b"test")],
    ids=["empty", "no base64", "short", "cut", "shifted", "noise", "no ASCII", "for another account"],
)
def test_anything_else_is_refused(sealed: str) -> None:
    """Also what was sealed for another account."""
    with pytest.raises(UnsealedError):
        unseal(KEY, ACCOUNT, sealed)


def test_another_key_opens_nothing() -> None:
    """Nor does one that is none."""
    with pytest.raises(UnsealedError):
        unseal("a" * 43, ACCOUNT, SEALED)
    assert wrong_key(KEY) is None
    assert wrong_key(KEY[:-1]) == "it is no EncodingAESKey (43 letters and digits)"
    assert [wrong_key("é" * 43), wrong_key("!" * 43)] == [wrong_key("")] * 2
