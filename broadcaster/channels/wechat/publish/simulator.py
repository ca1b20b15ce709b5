"""The stand-in of the platform; it is the same whichever way an account's articles go out."""

from __future__ import annotations

from broadcaster.channels.official.simulator import create as create  # noqa: PLC0414 - found here by its name
