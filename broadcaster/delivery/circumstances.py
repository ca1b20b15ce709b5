"""Circumstances: what the guard is asked about, put together from what a claim or a stride found in the database."""

from __future__ import annotations

from typing import Any

from broadcaster.announcement.lifecycle import State
from broadcaster.announcement.revision import RevisionState
from broadcaster.delivery.guard import Circumstances
from broadcaster.delivery.run import Run
from broadcaster.planning.broadcast import BroadcastState
from broadcaster.planning.phase import Phase


def circumstances(run: Run, state: Any) -> Circumstances:
    """What is true of a run's batch, by a row of `batches.claim` or `strides.take`."""
    proposal = run.edition.proposal
    return Circumstances(
        paused=state.held,
        broadcast_open=state.state == BroadcastState.OPEN,
        moved=state.revision != run.batch.revision or state.suppressions != run.batch.suppressions,
        revision_approved=state.revision_state == RevisionState.APPROVED,
        announcement_state=State(state.announcement_state),
        phase=Phase(state.phase),
        expires_at=state.expires_at,
        quiet_hours=proposal.quiet_hours(run.channel.slug, Phase(state.phase)),
        zone=proposal.announcement.zone_info,
    )
