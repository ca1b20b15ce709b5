"""The kiosk screen: kiosks are told when their document changed."""

from broadcaster.channels.kiosk.message import SPEC
from broadcaster.channels.surface import surface_channel

CHANNEL = surface_channel(SPEC, shows_qr=True)
