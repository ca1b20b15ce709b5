"""Truth: which phases say something true while an announcement is in a state."""

from __future__ import annotations

from broadcaster.announcement.lifecycle import State
from broadcaster.planning.phase import Phase

STILL_TRUE_IN: dict[State, frozenset[Phase]] = {
    State.DRAFT: frozenset(),
    State.SCHEDULED: frozenset({Phase.NOTICE, Phase.REMINDER, Phase.CHANGED}),
    State.IN_PROGRESS: frozenset({Phase.STARTED, Phase.ONGOING, Phase.CHANGED}),
    State.OVERRUN: frozenset({Phase.OVERRUN, Phase.CHANGED}),
    State.COMPLETED: frozenset({Phase.RESTORED}),
    State.CANCELLED: frozenset({Phase.CANCELLED}),
}
