"""What `plan` says of a correction through providers that send approved texts only: its price, and whether they can."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from broadcaster.announcement.facts import FactChange, difference, facts
from broadcaster.channels.registry import CHANNELS
from broadcaster.channels.reviewed import NAMED
from broadcaster.channels.sms.drafts import draft
from broadcaster.cli import plan_view
from broadcaster.cli.plan_view import Correction
from broadcaster.operations.amending import Times, amended
from broadcaster.operations.foretelling import foretold
from broadcaster.operations.outlook import Outlook
from broadcaster.operations.preview import Preview
from broadcaster.planning.changes import Changes
from broadcaster.planning.phase import Phase
from broadcaster.rendering.environment import Templates
from broadcaster.site import Site
from broadcaster.storage.believers import OTHERS, Count
from tests.builders import example

TEMPLATES = Templates()
STALE = 2_000


def site(*phases: Phase) -> Site:
    """A site whose vendor has approved the texts of these phases."""
    drafts = [draft(row, NAMED) for row in foretold(TEMPLATES, CHANNELS["sms"], example())]
    rows = dict.fromkeys((str(row.phase), row.language, row.text) for row in drafts if row.phase in phases)
    options: dict[str, Any] = {
        "access_key_id": "LTAI-of-a-test",
        "sign_name": dict(example().announcement.owner.signature),
        "price_per_segment": "0.045",
        "templates": [
            {"phase": phase, "language": language, "code": f"SMS_{number}", "text": text}
            for number, (phase, language, text) in enumerate(rows)
        ],
    }
    provider = {"name": "vendor", "supplier": "aliyun", "secret": "env:KEY", "options": options}
    return Site.model_validate({"name": "a site", "channels": {"sms": {"providers": [provider]}}})


def correction(where: Site) -> Correction:
    """Of an end that moves by four days, to two thousand people."""
    announcement = example().announcement
    end = announcement.window.end
    assert end
    later = amended(example(), Times(end=end + timedelta(days=4)))
    changed = difference(facts(announcement), facts(later.announcement))
    [row] = plan_view.corrections(preview_of(Count(STALE, STALE), changed), later, TEMPLATES, where)
    return row


def preview_of(
    count: Count, changed: tuple[FactChange, ...] = (FactChange("status", "planned", "cancelled"),)
) -> Preview:
    """A plan that makes so many stale by SMS."""
    return Preview("x", changed, Changes(), Outlook({}, ()), is_new=False, mark="m", stale={"sms": count})


def test_a_correction_has_its_price() -> None:
    """As many segments as the vendor counts, for everybody, at what the site says of a segment."""
    row = correction(site(Phase.CHANGED))
    assert row.objections == ()
    assert row.most_cost == STALE * max(row.segments.values()) * Decimal("0.045")


def test_a_correction_that_no_approved_text_says_is_told_before_it_is_sent() -> None:
    """Once it is due it would be too late to have a text reviewed."""
    row = correction(site(Phase.NOTICE))
    assert len(row.objections) == len(example().announcement.languages)
    assert all(text.startswith("vendor cannot say it:") for text in row.objections)


def test_without_such_a_provider_there_is_no_price() -> None:
    """A gateway of one's own bills as it likes."""
    row = correction(Site(name="a site"))
    assert (row.most_cost, row.objections) == (None, ())
    assert row.segments


def test_a_plan_has_a_line_for_each_audience(capsys: pytest.CaptureFixture[str]) -> None:
    """In the order in which they were counted, so that two plans compare line by line; as data by name."""
    by_audience = {"tag:hospital": 300, "tag:retired": 1_500, OTHERS: 200}
    found = preview_of(Count(2_000, 2_000, by_audience=by_audience))
    rows = plan_view.corrections(found, example(), TEMPLATES, Site(name="a site"))
    plan_view.show(found, rows)
    lines = [line for line in capsys.readouterr().out.splitlines() if "to be corrected" in line]
    assert lines == [
        "sms: 300 of those to be corrected are in tag:hospital",
        "sms: 1,500 of those to be corrected are in tag:retired",
        "sms: 200 of those to be corrected are in no audience of a row",
    ]
    assert plan_view.data(found, rows)["corrections"][0]["by_audience"] == by_audience
