"""The picture of the stale set: it rises at each change and falls as people are corrected, never too early."""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path

from broadcaster.reporting.axis import LEFT, RIGHT, WIDTH
from broadcaster.reporting.descent import MOST, TOGETHER, Descent, Fall, descents
from tests.unit.test_correcting import change, changed, numbers, page

HOUR = 3600


def points(line: str) -> list[tuple[float, float]]:
    """The points of an SVG path."""
    return [(float(x), float(y)) for x, y in re.findall(r"([\d.]+) ([\d.]+)", line)]


def only(pictures: list[Descent]) -> Descent:
    """The one picture there is."""
    (found,) = pictures
    return found


def fall(*changes: dict[str, object], strip: int = 0, column: int = 0) -> Fall:
    """One channel's part of one column."""
    return only(descents(changes)).strips[strip].falls[column]


def heights(found: Fall) -> list[float]:
    """How high the line stands, point by point, as a share of its frame."""
    return [round((found.y + found.height - y) / found.height, 2) for _, y in points(found.line)]


def test_the_stale_rise_at_the_change_and_fall_when_they_are_corrected() -> None:
    """From nobody up at once, and down to nobody where it is sure."""
    found = fall(change(sms=numbers(1000, seconds=2)))
    assert heights(found)[:3] == [0, 0, 1]
    assert heights(found)[-1] == 0
    risen = next(x for x, y in points(found.line) if y == found.y)
    assert risen == found.change_x
    assert found.band == ""
    assert (found.before, found.after) == ("1,000", "0")


def test_a_fall_within_a_second_is_seen() -> None:
    """Beside one that takes a day: the axis is logarithmic, and the same in every column."""
    fast, slow = change(sms=numbers(10, seconds=1)), change(sms=numbers(10, seconds=24 * HOUR))
    quick = fall(fast, slow)
    down = max(x for x, y in points(quick.line) if y == quick.y)
    assert down - quick.change_x > 10
    long = fall(fast, slow, column=1)
    assert max(x for x, y in points(long.line) if y == long.y) < long.x + long.width


def test_nobody_is_corrected_in_the_picture_before_they_were() -> None:
    """Between two known points the line keeps to the higher one."""
    row = numbers(8)
    row["curve"] = [{**point, "stale": max(0, 8 - point["seconds"])} for point in row["curve"]]
    line = points(fall(change(sms=row)).line)
    assert all(one[0] == other[0] or one[1] == other[1] for one, other in pairwise(line))
    assert 0.75 in heights(fall(change(sms=row)))


def test_whoever_is_left_stays_in_the_picture() -> None:
    """As a band to its end, and as what the next change begins with; one of ten million is high enough to be seen."""
    first, second = change(sms=numbers(10_000_000, 1)), change(sms=numbers(10_000_000))
    left, next_one = fall(first, second), fall(first, second, column=1)
    assert left.band
    ys = [y for _, y in points(left.band)]
    assert max(ys) - min(ys) == 3
    assert heights(next_one)[0] == heights(left)[-1] > 0
    assert (left.before, left.after) == ("10,000,000", "1")


def test_the_line_ends_where_the_next_change_came() -> None:
    """What would have become of it later is not known."""
    cut = change(sms=numbers(100, 60, seconds=HOUR)) | {"until": "2030-03-18T10:00:05+08:00"}
    found = fall(cut, change(sms=numbers(100, seconds=HOUR)))
    assert found.next_x is not None
    assert found.change_x < found.next_x < found.x + found.width
    assert points(found.line)[-1] == (found.next_x, points(found.band)[0][1])
    assert fall(change(sms=numbers(1))).next_x is None


def test_there_is_a_strip_for_each_channel_up_to_its_own_highest_number() -> None:
    """Three kiosks are as visible as ten million people; all together are the first."""
    both = change(kiosk=numbers(3), sms=numbers(10_000_000)), change(sms=numbers(5_000_000))
    picture = only(descents(both))
    assert [strip.name for strip in picture.strips] == [TOGETHER, "kiosk", "sms"]
    assert max(heights(picture.strips[1].falls[0])) == 1
    assert max(heights(picture.strips[1].falls[1])) == 0
    assert max(heights(picture.strips[2].falls[1])) == 0.5
    assert [strip.name for strip in only(descents([change(sms=numbers(1))])).strips] == ["sms"]


def test_many_changes_have_several_pictures_of_columns_as_wide() -> None:
    """Side by side up to the right edge, and below each other."""
    pictures = descents([change(sms=numbers(10_000_000, 9_999_999)) for _ in range(MOST + 1)])
    assert [len(picture.heads) for picture in pictures] == [4, 3]
    assert [head.title for head in pictures[1].heads] == ["5 changed", "6 changed", "7 changed"]
    last = pictures[0].strips[0].falls[-1]
    assert abs(last.x + last.width - (WIDTH - RIGHT)) < 0.2
    assert pictures[0].strips[0].falls[0].x == LEFT
    assert pictures[1].strips[0].falls[0].width == last.width


def test_a_number_that_is_too_long_for_its_column_is_shortened() -> None:
    """Its title has it in full."""
    found = fall(*(change(sms=numbers(123_456_789, 98_765_432)) for _ in range(MOST)))
    assert (found.before, found.after) == ("123M", "98.8M")
    assert "123,456,789 stale, 98,765,432 left" in found.title


def test_a_change_that_made_nobody_stale_is_not_drawn() -> None:
    """As long as no other did."""
    assert descents([change()]) == []
    assert descents([]) == []


def test_who_cannot_see_the_picture_is_told_what_it_shows(tmp_path: Path) -> None:
    """By its name and its description."""
    text = page(tmp_path, changed(change("finish", sms=numbers(2004)), change("cancel", sms=numbers(7, 7))))
    (svg,) = re.findall(r'<svg [^>]*aria-describedby="descent-1".*?</svg>', text, re.DOTALL)
    assert 'role="img"' in svg
    assert 'aria-label="How many held something untrue after each change"' in svg
    words = (
        "1 finished: 2,004 became stale, 0 were left, the last correction within 2 s. "
        "2 cancelled: 7 became stale, 7 were left."
    )
    assert f'<desc id="descent-1">{words}</desc>' in svg
