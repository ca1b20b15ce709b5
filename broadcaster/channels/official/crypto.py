"""Signatures of events, and the encryption of the safe mode.

Source: developers.weixin.qq.com, 消息加解密说明. The key is the EncodingAESKey with `=`, in base64; its first half is
the IV. Sealed is: 16 random bytes, the length of the message (4 bytes, big-endian), the message, the AppID; padded to
blocks of 32 bytes as PKCS#7 does.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC

KEY_CHARACTERS = 43
_RANDOM, _LENGTH, _BLOCK, _KEY_BYTES = 16, 4, 32, 32


class UnsealedError(Exception):
    """Something that was not sealed with this key for this account."""


def signature(*words: str) -> str:
    """The SHA-1 of the words (token, timestamp, nonce, and what is encrypted), sorted and joined."""
    return hashlib.sha1("".join(sorted(words)).encode()).hexdigest()  # noqa: S324 - the platform's own choice


def is_signed(said: str, *words: str) -> bool:
    """Whether somebody who knows the token signed these words."""
    return hmac.compare_digest(said.encode(), signature(*words).encode())


def wrong_key(encoding_key: str) -> str | None:
    """What is wrong with an EncodingAESKey; None when nothing is."""
    try:
        _key(encoding_key)
    except ValueError:
        return f"it is no EncodingAESKey ({KEY_CHARACTERS} letters and digits)"
    return None


def seal(encoding_key: str, appid: str, message: bytes, random: bytes | None = None) -> str:
    """Encrypt a message for an account; 16 `random` bytes go before it."""
    head = random or secrets.token_bytes(_RANDOM)
    plain = head + len(message).to_bytes(_LENGTH, "big") + message + appid.encode()
    missing = _BLOCK - len(plain) % _BLOCK
    encryptor = _cipher(encoding_key).encryptor()
    return base64.b64encode(encryptor.update(plain + bytes([missing]) * missing) + encryptor.finalize()).decode()


def unseal(encoding_key: str, appid: str, sealed: str) -> bytes:
    """Decrypt a message; raises UnsealedError when it was not sealed with this key for this account."""
    try:
        decryptor = _cipher(encoding_key).decryptor()
        padded = decryptor.update(base64.b64decode(sealed, validate=True)) + decryptor.finalize()
    except ValueError:
        raise UnsealedError from None
    plain = padded[: -padded[-1]] if padded else b""
    start = _RANDOM + _LENGTH
    end = start + int.from_bytes(plain[_RANDOM:start], "big")
    if len(plain) < start or not hmac.compare_digest(plain[end:], appid.encode()):
        raise UnsealedError
    return plain[start:end]


def _cipher(encoding_key: str) -> Cipher[CBC]:
    key = _key(encoding_key)
    return Cipher(AES(key), CBC(key[:16]))


def _key(encoding_key: str) -> bytes:
    # Its last character carries bits that belong to no byte: a strict decoder would refuse most keys.
    key = base64.b64decode(encoding_key + "=")
    if len(encoding_key) != KEY_CHARACTERS or len(key) != _KEY_BYTES:
        raise ValueError("no EncodingAESKey")
    return key
