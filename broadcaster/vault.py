"""The vault: personal data at rest. Phones and names are stored encrypted, beside a blind index of the phone.

A keyring is a JSON file that only its owner may read: `{"index": KEY, "seal": {"1": KEY, …}, "current": 1}` with
32-byte keys in base64. The newest sealing key seals, every one of them opens, so that keys rotate while rows of older
ones stand. The index key is a key of its own: rotating the others leaves every index as it is.

Sealed: one byte of key number, a 12-byte random nonce, AES-256-GCM of address, U+001F and name, with the handle as
associated data, so that a ciphertext copied to another row does not open. Random nonces allow 2**32 values a key
(NIST SP 800-38D, 8.3).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import os
import stat
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from broadcaster.errors import InputError, Place, StateError

KEY_BYTES = 32
HANDLE_BYTES = 16
FINGERPRINT_BYTES = 8
_NONCE_BYTES = 12
_BETWEEN = "\x1f"
_BETWEEN_BYTES = b"\x1f"
_MOST_KEYS = 255
_BLOCK_BYTES = 64
"""Of SHA-256."""


class UnopenedError(StateError):
    """A sealed value was changed since, or moved to another row."""


@dataclass(frozen=True, slots=True)
class Keys:
    """What a keyring holds: the index key, the sealing keys by their numbers, and the number of the one that seals."""

    index: bytes
    sealing: Mapping[int, bytes]
    current: int


class _Hmac:
    """HMAC-SHA-256 (RFC 2104) whose two keyed states are made once: a third of the time of `hmac.digest`."""

    def __init__(self, key: bytes) -> None:
        padded = key.ljust(_BLOCK_BYTES, b"\0")
        self._inner = hashlib.sha256(bytes(byte ^ 0x36 for byte in padded))
        self._outer = hashlib.sha256(bytes(byte ^ 0x5C for byte in padded))

    def digest(self, message: bytes) -> bytes:
        inner, outer = self._inner.copy(), self._outer.copy()
        inner.update(message)
        outer.update(inner.digest())
        return outer.digest()


class Vault:
    """Seals, opens and indexes the addresses of recipients."""

    def __init__(self, keys: Keys, path: Path | None = None) -> None:
        self._path = path
        self._take(keys)

    def _take(self, keys: Keys) -> None:
        self._digest = _Hmac(keys.index).digest
        self._ciphers = {number: AESGCM(key) for number, key in keys.sealing.items()}
        self._current = self._ciphers[keys.current]
        self._mark = bytes([keys.current])
        self.current = keys.current
        """The number of the key that seals."""

    def handle(self, pool: str, address: str) -> bytes:
        """The blind index of an address in its pool, 16 bytes: equal for equal addresses, and telling nothing else."""
        return self._digest(f"{pool}{_BETWEEN}{address}".encode())[:HANDLE_BYTES]

    def fingerprint(self, handle: bytes, *words: str) -> bytes:
        """A keyed digest of what is known of a recipient, 8 bytes: another one when any of the words changed."""
        return self._digest(handle + _BETWEEN.join(words).encode("utf-8", "surrogatepass"))[:FINGERPRINT_BYTES]

    def seal(self, handle: bytes, address: str, name: str = "") -> bytes:
        """Encrypt an address and a name for the row of `handle`."""
        nonce = os.urandom(_NONCE_BYTES)
        return self._mark + nonce + self._current.encrypt(nonce, f"{address}{_BETWEEN}{name}".encode(), handle)

    def seal_new(self, pool: str, address: str, name: str) -> tuple[bytes, bytes, bytes]:
        """(handle, fingerprint, sealed) of a recipient, for imports: the three above in one step.

        Raises UnicodeEncodeError when the name or address is no text.
        """
        digest, said, called = self._digest, address.encode(), name.encode()
        handle = digest(pool.encode() + _BETWEEN_BYTES + said)[:HANDLE_BYTES]
        nonce = os.urandom(_NONCE_BYTES)
        sealed = self._current.encrypt(nonce, said + _BETWEEN_BYTES + called, handle)
        return handle, digest(handle + called)[:FINGERPRINT_BYTES], self._mark + nonce + sealed

    def open(self, handle: bytes, sealed: bytes) -> tuple[str, str]:
        """(address, name) of a row; raises UnopenedError when it was changed, StateError when its key is missing."""
        cipher = self._ciphers.get(sealed[0]) or self._newer_cipher(sealed[0])
        try:
            plain = cipher.decrypt(sealed[1 : 1 + _NONCE_BYTES], sealed[1 + _NONCE_BYTES :], handle)
        except InvalidTag:
            raise UnopenedError("its row does not open: it was changed, or its key is another one") from None
        address, _, name = plain.decode().partition(_BETWEEN)
        return address, name

    def reseal(self, handle: bytes, sealed: bytes) -> bytes:
        """The same under the current key."""
        return self.seal(handle, *self.open(handle, sealed))

    @property
    def check(self) -> bytes:
        """A digest by which another process knows that it has the same index key."""
        return self._digest(b"check")[:FINGERPRINT_BYTES]

    def fits(self, check: bytes) -> bool:
        """Whether a database with this check was written with these keys, as they are in the file now.

        A re-index writes its keyring beside the old one, commits, and then puts it in the old one's place. Where it was
        killed between the last two, the one beside fits: it is put in its place, and this vault goes on with it.
        """
        if self.check == check or self._path is None:
            return self.check == check
        beside = pending_path(self._path)
        if beside.exists() and open_vault(beside).check == check:
            with suppress(FileNotFoundError):  # another process did it meanwhile
                beside.replace(self._path)
        self._reload()
        return self.check == check

    def _newer_cipher(self, number: int) -> AESGCM:
        """The cipher of a key that was added to the file since it was read."""
        if self._path:
            self._reload()
        cipher = self._ciphers.get(number)
        if cipher is None:
            raise StateError(f"a recipient was sealed with key {number}, which the keyring does not hold")
        return cipher

    def _reload(self) -> None:
        if self._path:
            self._take(_keys(read_keyring(self._path), self._path))


def open_vault(path: Path) -> Vault:
    """The vault of a keyring file; raises InputError when it is missing, unsafe or unreadable."""
    return Vault(_keys(read_keyring(path), path), path)


def pending_path(path: Path) -> Path:
    """Where the next keyring of a re-index stands until its transaction is committed."""
    return path.with_name(f"{path.name}.new")


def ensure_keyring(path: Path) -> None:
    """Make a keyring with new keys, unless there is one. Two processes at once make one."""
    if path.exists():
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    write_keyring(path, new_keyring(), replace=False)


def new_keyring() -> dict[str, Any]:
    """A keyring of new keys, as data."""
    return {"index": _new_key(), "seal": {"1": _new_key()}, "current": 1}


def rotated(keyring: dict[str, Any]) -> dict[str, Any]:
    """The keyring with a new sealing key as the current one; the older ones still open."""
    number = max(map(int, keyring["seal"])) + 1
    if number > _MOST_KEYS:
        raise StateError(f"a keyring holds at most {_MOST_KEYS} sealing keys", hint="drop those that seal nothing")
    return {**keyring, "seal": {**keyring["seal"], str(number): _new_key()}, "current": number}


def without(keyring: dict[str, Any], number: int) -> dict[str, Any]:
    """The keyring without a sealing key; raises StateError when it has no such key, or seals with it."""
    if str(number) not in keyring["seal"]:
        raise StateError(f"there is no sealing key {number}", hint="`broadcaster keys show` lists them")
    if number == keyring["current"]:
        raise StateError(f"key {number} is the one that seals", hint="`broadcaster keys rotate` adds another first")
    return {**keyring, "seal": {name: key for name, key in keyring["seal"].items() if name != str(number)}}


def reindexed(keyring: dict[str, Any]) -> dict[str, Any]:
    """The keyring with a new index key."""
    return {**keyring, "index": _new_key()}


def vault_of(keyring: dict[str, Any]) -> Vault:
    """The vault of a keyring that was read or made here."""
    return Vault(_keys(keyring, None))


def read_keyring(path: Path) -> dict[str, Any]:
    """A keyring file as data; raises InputError when others may read it, or it is not there."""
    try:
        mode = path.stat().st_mode
        if mode & (stat.S_IRWXG | stat.S_IRWXO):
            raise InputError.one("others than its owner may read the keys", place=Place(str(path)), hint="chmod 600")
        found: dict[str, Any] = json.loads(path.read_text(encoding="ascii"))
    except OSError as error:
        hint = "BROADCASTER_KEYS names the keyring; put the one back that this database was written with"
        raise InputError.one(f"the keys cannot be read: {error.strerror}", place=Place(str(path)), hint=hint) from error
    except ValueError as error:
        raise InputError.one("the keyring is not JSON", place=Place(str(path))) from error
    return found


def write_keyring(path: Path, keyring: dict[str, Any], *, replace: bool = True) -> None:
    """Write a keyring, readable by its owner only, in one step."""
    scratch = path.with_name(f".{path.name}.{os.getpid()}")
    scratch.unlink(missing_ok=True)
    with os.fdopen(os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:
        json.dump(keyring, file, indent=2)
        file.write("\n")
        file.flush()
        os.fsync(file.fileno())
    if replace:
        scratch.replace(path)
    else:
        try:
            os.link(scratch, path)
        except FileExistsError:
            pass
        finally:
            scratch.unlink()
    keep_folder(path)


def keep_folder(path: Path) -> None:
    """See to it that the names in a file's folder survive a power cut."""
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _keys(keyring: dict[str, Any], path: Path | None) -> Keys:
    place = Place(str(path)) if path else Place()
    hint = 'expected {"index": KEY, "seal": {"1": KEY}, "current": 1} with 32-byte keys in base64'
    try:
        sealing = {int(number): _key(text) for number, text in keyring["seal"].items()}
        current = int(keyring["current"])
        if current not in sealing or not all(1 <= number <= _MOST_KEYS for number in sealing):
            raise ValueError(current)
        return Keys(_key(keyring["index"]), sealing, current)
    except (KeyError, TypeError, AttributeError, ValueError, binascii.Error) as error:
        raise InputError.one("the keyring is not complete", place=place, hint=hint) from error


def _key(text: str) -> bytes:
    key = base64.b64decode(text, validate=True)
    if len(key) != KEY_BYTES:
        raise ValueError(len(key))
    return key


def _new_key() -> str:
    return base64.b64encode(os.urandom(KEY_BYTES)).decode()
