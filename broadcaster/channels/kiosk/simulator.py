"""A kiosk endpoint: it is told, and fetches the document."""

from broadcaster.channels.simulation import receive_surface

receive = receive_surface
