"""Credentials: secrets that a site names without holding them.

It names an environment variable (`env:SMS_SECRET`), or a file that only its owner may read (`file:secrets/sms`).
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

from broadcaster.errors import InputError, Place

PATTERN = r"^(env:[A-Z][A-Z0-9_]*|file:.+)$"


def read_secret(name: str, whose: str, folder: Path) -> str:
    """The secret of `whose` that a site names; `folder` is where relative files are looked for.

    Raises InputError when it is not set, cannot be read, or others than its owner may read it."""
    kind, _, rest = name.partition(":")
    value = os.environ.get(rest, "").strip() if kind == "env" else _read_file(folder / rest)
    if not value:
        hint = f"set {rest} to the secret shared with that {whose.partition(' ')[0]}"
        raise InputError.one(f"{whose}: its secret is not set", hint=hint)
    return value


def _read_file(path: Path) -> str:
    try:
        mode = path.stat().st_mode
        if mode & (stat.S_IRWXG | stat.S_IRWXO):
            hint = f"chmod 600 {path}"
            raise InputError.one("others than its owner may read this secret", place=Place(str(path)), hint=hint)
        return path.read_text(encoding="ascii").strip()
    except OSError as error:
        raise InputError.one(f"the secret cannot be read: {error.strerror}", place=Place(str(path))) from error
    except UnicodeDecodeError:
        raise InputError.one("the secret is not ASCII text", place=Place(str(path))) from None
