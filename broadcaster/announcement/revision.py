"""Revisions: the immutable, numbered versions of an announcement."""

from __future__ import annotations

from enum import StrEnum


class RevisionState(StrEnum):
    """Where a revision stands. Everything sent points at an approved one; what it replaced is superseded."""

    PROPOSED = "proposed"
    APPROVED = "approved"
    SUPERSEDED = "superseded"
