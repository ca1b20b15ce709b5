"""The web banner: sites are told when its document changed."""

from broadcaster.channels.banner.message import SPEC
from broadcaster.channels.surface import surface_channel

CHANNEL = surface_channel(SPEC)
