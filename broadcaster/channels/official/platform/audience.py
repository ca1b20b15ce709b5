"""What the public sees of an account: articles that come, and articles that are taken down."""

from __future__ import annotations

from broadcaster.channels.call import Action, Fate
from broadcaster.channels.official import wire
from broadcaster.channels.official.platform import events
from broadcaster.channels.official.platform.box import Article
from broadcaster.channels.simulation import Exhibit, Reception, Stage

FOLLOWERS = 10_000


class Audience:
    """The followers of one account, and whoever looks at its page."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._newest = ""

    @property
    def account(self) -> str:
        """What the public calls the account."""
        return self._stage.provider.label or self._stage.provider.name

    def show(self, mark: str, article: Article) -> None:
        """Let an article be seen; its broadcast is what a mark begins with."""
        self._newest = mark[: wire.BROADCAST_CHARACTERS]
        parts = {
            "title": article["title"],
            "author": article["author"],
            "digest": article["digest"],
            "body": article["content"],
        }
        provider = self._stage.provider
        exhibit = Exhibit(provider.name, self.account, provider.language, parts, posted=True)
        # The platform is told nothing of phases.
        self._stage.show(self._newest, "", Reception((exhibit,)))

    def take_down(self, mark: str) -> None:
        """Let an article be seen no more; its successor is what came last."""
        fate = Fate(mark[: wire.BROADCAST_CHARACTERS], Action.DELETED)
        self._stage.replace(self._newest, self.account, (fate,))

    def mass_finished(self, msg_id: int, status: str) -> None:
        """Send the event that a mass send is over."""
        away = self._stage.is_away(self._stage.provider.name)
        self._send(events.mass_finished(msg_id, "send fail" if away else status, FOLLOWERS))

    def publish_finished(self, publish_id: int, status: int, article_id: str) -> None:
        """Send the event that a publication is over."""
        away = self._stage.is_away(self._stage.provider.name)
        self._send(events.publish_finished(publish_id, 3 if away else status, article_id))

    def _send(self, xml: str) -> None:
        provider = self._stage.provider
        self._stage.call_back(lambda: events.callback(provider, xml))
