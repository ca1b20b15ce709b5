"""Options: what a provider of one kind needs to be told beside its address and secret, as its site writes it."""

from __future__ import annotations

from broadcaster.announcement.model import Frozen


class Options(Frozen):
    """The options of a kind of provider; each kind that has some derives its own from this."""


NO_OPTIONS = Options()
