"""A request that the platform does not carry out."""

from __future__ import annotations

from typing import Any


class RefusedError(Exception):
    """Answered with status 200, a return code, and perhaps more fields."""

    def __init__(self, code: int, words: str, **fields: Any) -> None:
        super().__init__(words)
        self.answer = {"errcode": code, "errmsg": words, **fields}
