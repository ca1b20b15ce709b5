"""What an operator's webhook is told, in words: in each language of the announcement, never that service is back."""

from __future__ import annotations

import pytest

from broadcaster.announcement.lifecycle import State
from broadcaster.rendering.asking import halted, question
from tests.builders import example, proposal

ANNOUNCEMENT = example().announcement


def test_ahead_of_the_end_it_asks_whether_it_holds() -> None:
    """The end as the public reads it, with its zone."""
    said = question(ANNOUNCEMENT, 1, State.IN_PROGRESS, "2 hours before")
    assert said["question"] == {
        "zh-Hans": "养老、失业、工伤保险等业务计划暂停至2022年3月20日24时（北京时间）。"
        "届时能否恢复？需要更长时间，请延长；已经恢复，请结束。",
        "en": "The suspension of social insurance services is planned to end at 24:00 on 20 March 2022 (Beijing time)."
        " Will service be back then? If it takes longer, extend it; if service is back already, finish it.",
    }


def test_after_the_end_it_says_that_nobody_has_confirmed_it() -> None:
    """And what the public reads meanwhile."""
    said = question(ANNOUNCEMENT, 1, State.OVERRUN, "3 hours after")
    assert said["question"]["en"].startswith("The suspension of social insurance services was due to end at 24:00")
    assert "nobody has said that service is back" in said["question"]["en"]
    assert said["public_sees"]["zh-Hans"] == (
        "公众看到的是原定暂停至2022年3月20日24时、尚未确认恢复。无人确认，不会告知任何人已恢复。"
    )


@pytest.mark.parametrize("state", [State.IN_PROGRESS, State.OVERRUN])
def test_a_language_without_sentences_of_its_own_has_the_english_ones(state: State) -> None:
    """As times have."""
    words = {"fr": "mots"}
    other = proposal(
        languages=["fr"],
        owner={"name": words, "signature": words},
        title=words,
        subject=words,
        reason=words,
        services=[{"id": "payments", "name": words}],
        access_points=[{"id": "hall", "kind": "hall", "name": words}],
    ).announcement
    said = question(other, 1, state, "1 hour after")
    assert list(said["question"]) == ["fr"]
    assert said["question"]["fr"].startswith("The suspension of mots")


def test_a_halted_broadcast_says_how_to_go_on() -> None:
    """With what is known of it as it is."""
    said = halted(ANNOUNCEMENT, 2, {"broadcast": "beef", "reason": "canary"})
    assert (said["announcement"], said["revision"], said["reason"]) == ("qingdao-2022", 2, "canary")
    assert said["commands"] == {
        "look": "broadcaster status qingdao-2022",
        "resume": "broadcaster resume --broadcast beef",
    }
    assert set(said["text"]) == {"zh-Hans", "en"}
