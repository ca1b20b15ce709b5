"""Shares: whom each of several rules reaches that speak on one channel at one occasion, so that nobody is told twice.

A rule gets whom the rules before it do not, and nobody gets again what has begun to go out already, even if that was
under other rules. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from broadcaster.planning.broadcast import BroadcastState, broadcast_id
from broadcaster.planning.moments import Frame, Moment
from broadcaster.planning.overlap import anybody, overlap, without
from broadcaster.planning.segment import parse_segment

_BEGUN = frozenset({BroadcastState.OPEN, BroadcastState.CLOSED})


def shares(moments: Iterable[Moment], frame: Frame) -> Iterator[Moment]:
    """The moments, each with the audience that is left for it; one for which nobody is left is not among them."""
    groups: dict[tuple[str, ...], list[Moment]] = {}
    for moment in moments:
        if moment.among:
            yield moment  # whom it is for follows from the ledger
        else:
            groups.setdefault(moment.key, []).append(moment)
    for group in groups.values():
        yield from _shared(group, _begun(group[0], frame))


def _shared(group: list[Moment], begun: list[str]) -> Iterator[Moment]:
    taken = [parse_segment(text) for text in begun]
    for text, segment in zip(begun, taken, strict=True):
        alike = [moment for moment in group if overlap(parse_segment(moment.audience), segment)]
        if alike:  # what has begun goes on while some rule still wants any of its people told
            yield replace(alike[0], audience=text)
    for moment in group:
        wanted = parse_segment(moment.audience)
        left = without(wanted, taken)
        if anybody(left):
            yield replace(moment, audience=str(left))
            taken.append(wanted)


def _begun(moment: Moment, frame: Frame) -> list[str]:
    """The audiences of the broadcasts on a moment's occasion that are or were under way."""
    return [
        row.audience
        for row in frame.situation.known.values()
        if row.state in _BEGUN and not row.retries and not row.among and row.id == _id(moment, frame, row.audience)
    ]


def _id(moment: Moment, frame: Frame, audience: str) -> str:
    slug, revision = frame.proposal.announcement.slug, frame.situation.revision
    return broadcast_id(slug, moment.channel, moment.phase, moment.occurrence, revision, audience)
