"""The vault: what it seals only it opens, and its keys change without anybody being lost."""

from __future__ import annotations

import base64
import hmac
import json
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broadcaster.errors import InputError, StateError
from broadcaster.vault import (
    UnopenedError,
    ensure_keyring,
    new_keyring,
    open_vault,
    pending_path,
    read_keyring,
    reindexed,
    rotated,
    vault_of,
    without,
    write_keyring,
)

PHONE = "+8613800138000"
KEYRING = new_keyring()
VAULT = vault_of(KEYRING)
HANDLE = VAULT.handle("", PHONE)


@given(st.text(), st.text())
def test_what_is_sealed_opens(address: str, name: str) -> None:
    """Any name comes back as it was; an address holds no separator."""
    if "\x1f" in address:
        return
    handle, _, sealed = VAULT.seal_new("", address, name)
    assert VAULT.open(handle, sealed) == (address, name)


@given(st.text(), st.text())
def test_an_import_seals_as_everybody_does(address: str, name: str) -> None:
    """The one quick step gives what the three plain ones give."""
    handle, fingerprint, _ = VAULT.seal_new("pool", address, name)
    assert handle == VAULT.handle("pool", address)
    assert fingerprint == VAULT.fingerprint(handle, name)


@given(st.text(), st.text())
def test_the_blind_index_is_an_hmac(pool: str, address: str) -> None:
    """Whoever has the index key can compute it with any library."""
    key = base64.b64decode(KEYRING["index"])
    assert VAULT.handle(pool, address) == hmac.digest(key, f"{pool}\x1f{address}".encode(), "sha256")[:16]


def test_nothing_of_a_person_is_in_what_is_stored() -> None:
    """Neither the number nor the name can be read from a row."""
    handle, fingerprint, sealed = VAULT.seal_new("", PHONE, "Wang Wei")
    stored = handle + fingerprint + sealed
    assert b"138" not in stored
    assert b"Wang" not in stored


def test_the_same_person_is_sealed_differently_each_time() -> None:
    """Equal rows do not look equal; only the blind index does."""
    assert VAULT.seal(HANDLE, PHONE) != VAULT.seal(HANDLE, PHONE)


def test_a_changed_row_does_not_open() -> None:
    """A single bit is enough."""
    sealed = bytearray(VAULT.seal(HANDLE, PHONE))
    sealed[-1] ^= 1
    with pytest.raises(UnopenedError, match="it was changed"):
        VAULT.open(HANDLE, bytes(sealed))


def test_a_row_that_was_moved_does_not_open() -> None:
    """Somebody who can write to the database cannot give one person another's number."""
    with pytest.raises(UnopenedError):
        VAULT.open(VAULT.handle("", "+8613800138001"), VAULT.seal(HANDLE, PHONE))


def test_pools_do_not_share_an_index() -> None:
    """An endpoint that is named like a number is not that person."""
    assert VAULT.handle("banner", PHONE) != HANDLE


def test_a_fingerprint_tells_a_name_from_another() -> None:
    """By it an import knows who changed; it is of no use without the key."""
    assert VAULT.fingerprint(HANDLE, "a") != VAULT.fingerprint(HANDLE, "b")
    assert vault_of(new_keyring()).fingerprint(HANDLE, "a") != VAULT.fingerprint(HANDLE, "a")


def test_older_keys_open_and_the_newest_seals() -> None:
    """Rotating leaves every row readable and every index as it is."""
    old = vault_of(KEYRING)
    new = vault_of(rotated(KEYRING))
    sealed = old.seal(HANDLE, PHONE, "name")
    assert new.open(HANDLE, sealed) == (PHONE, "name")
    assert (new.current, new.seal(HANDLE, PHONE)[0], new.reseal(HANDLE, sealed)[0]) == (2, 2, 2)
    assert new.handle("", PHONE) == HANDLE


def test_a_row_of_a_key_that_is_gone_says_so() -> None:
    """With the key's number, so that it can be looked for."""
    alone = vault_of(without(rotated(KEYRING), 1))
    with pytest.raises(StateError, match="sealed with key 1, which the keyring does not hold"):
        alone.open(HANDLE, VAULT.seal(HANDLE, PHONE))


@pytest.mark.parametrize(("number", "why"), [(1, "the one that seals"), (7, "no sealing key 7")])
def test_the_current_key_stays(number: int, why: str) -> None:
    """Neither it nor a key that is not there can be dropped."""
    with pytest.raises(StateError, match=why):
        without(KEYRING, number)


def test_a_keyring_holds_at_most_so_many_keys() -> None:
    """A key's number is one byte of each row."""
    full = {**KEYRING, "seal": {"255": KEYRING["seal"]["1"]}, "current": 255}
    with pytest.raises(StateError, match="at most 255"):
        rotated(full)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A keyring on the disk."""
    ensure_keyring(tmp_path / "keys.json")
    return tmp_path / "keys.json"


def test_a_keyring_is_made_once_for_its_owner_only(file: Path) -> None:
    """Asking again changes nothing."""
    before = file.read_text(encoding="ascii")
    ensure_keyring(file)
    assert file.read_text(encoding="ascii") == before
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [path.name for path in file.parent.iterdir()] == [file.name]


def test_a_keyring_that_others_can_read_is_refused(file: Path) -> None:
    """It says what to do."""
    file.chmod(0o640)
    with pytest.raises(InputError, match=r"others than its owner.*chmod 600"):
        open_vault(file)


@pytest.mark.parametrize(
    "content",
    [
        pytest.param("keys", id="no JSON"),
        pytest.param("{}", id="empty"),
        pytest.param("[]", id="a list"),
        pytest.param(json.dumps({**KEYRING, "index": "c2hvcnQ="}), id="a short key"),
        pytest.param(json.dumps({**KEYRING, "index": 7}), id="no text"),
        pytest.param(json.dumps({**KEYRING, "current": 2}), id="a current key that is not there"),
        pytest.param(json.dumps({**KEYRING, "seal": {"256": KEYRING["seal"]["1"]}, "current": 256}), id="256"),
    ],
)
def test_a_keyring_that_is_none_is_refused(file: Path, content: str) -> None:
    """With its path, and without its content."""
    file.write_text(content, encoding="ascii")
    with pytest.raises(InputError, match=r"keys\.json: the keyring is not") as caught:
        open_vault(file)
    assert KEYRING["seal"]["1"] not in str(caught.value)


def test_a_missing_keyring_is_named(tmp_path: Path) -> None:
    """With the setting that names it."""
    with pytest.raises(InputError, match=r"nowhere\.json: the keys cannot be read.*BROADCASTER_KEYS"):
        open_vault(tmp_path / "nowhere.json")


def test_a_running_process_finds_a_key_that_was_added(file: Path) -> None:
    """What another process seals with a new key opens here without a restart."""
    running = open_vault(file)
    write_keyring(file, rotated(read_keyring(file)))
    sealed = open_vault(file).seal(HANDLE, PHONE, "name")
    assert running.open(HANDLE, sealed) == (PHONE, "name")


def test_after_a_killed_re_index_the_keyring_that_fits_is_taken(file: Path) -> None:
    """Killed after the commit: the one beside takes the place of the old one, whoever starts first."""
    following = reindexed(read_keyring(file))
    write_keyring(pending_path(file), following)
    vault, another = open_vault(file), open_vault(file)
    assert vault.fits(vault_of(following).check)
    assert read_keyring(file) == following
    assert not pending_path(file).exists()
    assert vault.check == vault_of(following).check
    assert another.fits(vault_of(following).check)


def test_after_a_re_index_that_was_given_up_the_old_keyring_is_taken(file: Path) -> None:
    """Killed before the commit: what stands beside is of no use, and changes nothing."""
    before = read_keyring(file)
    write_keyring(pending_path(file), reindexed(before))
    assert open_vault(file).fits(vault_of(before).check)
    assert read_keyring(file) == before


def test_another_database_s_keys_do_not_fit(file: Path) -> None:
    """Nor do they change anything."""
    before = read_keyring(file)
    assert not open_vault(file).fits(vault_of(new_keyring()).check)
    assert read_keyring(file) == before
