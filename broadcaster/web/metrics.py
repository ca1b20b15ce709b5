"""`/metrics` for Prometheus: to this machine alone, or to whoever has the token that the environment names."""

from __future__ import annotations

import hmac
import ipaddress

from fastapi import APIRouter, Request, Response
from fastapi.responses import PlainTextResponse
from prometheus_client import CollectorRegistry
from prometheus_client.core import Metric as Family
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector
from sqlalchemy.exc import OperationalError

from broadcaster.errors import BroadcasterError
from broadcaster.web.exposition import families
from broadcaster.web.readings import Readings
from broadcaster.wiring import App

_PASSED_ON = ("x-forwarded-for", "x-real-ip", "forwarded", "via")
"""A request with one of these came through a proxy: the neighbour that it seems to come from is not the asker."""


class _Readable(Collector):
    """What Prometheus's client asks for the families."""

    def __init__(self, readings: Readings) -> None:
        self._readings = readings

    def describe(self) -> list[Family]:
        """Nothing is asked of anybody before the first scrape."""
        return []

    def collect(self) -> list[Family]:
        """One scrape."""
        return list(families(self._readings.take()))


def router(parts: App) -> APIRouter:
    """The route of the metrics."""
    routes = APIRouter()
    registry = CollectorRegistry()
    registry.register(_Readable(Readings(parts, parts.providers())))
    secret = parts.settings.metrics_token
    token = secret.get_secret_value() if secret else ""

    @routes.get("/metrics")
    def metrics(request: Request) -> Response:
        """200 with the exposition, 401 without the token, 403 for other machines, 503 without a database."""
        refusal = _refusal(request, token)
        if refusal:
            return refusal
        encode, content_type = choose_encoder(request.headers.get("accept", ""))
        try:
            return Response(encode(registry), media_type=content_type, headers={"Cache-Control": "no-store"})
        except BroadcasterError as error:
            return PlainTextResponse(f"{error.message}\n", 503)
        except OperationalError as error:
            return PlainTextResponse(f"the database did not answer: {type(error).__name__}\n", 503)

    return routes


def _refusal(request: Request, token: str) -> Response | None:
    """Why this request gets no metrics; None when it does."""
    if token:
        given = request.headers.get("authorization", "").encode("utf-8", "replace")
        if hmac.compare_digest(given, f"Bearer {token}".encode()):
            return None
        return PlainTextResponse("the token is missing or wrong\n", 401, headers={"WWW-Authenticate": "Bearer"})
    if is_local(request):
        return None
    return PlainTextResponse("metrics are for this machine; set BROADCASTER_METRICS_TOKEN for another one\n", 403)


def is_local(request: Request) -> bool:
    """Whether a request comes from this machine itself, and not through a proxy on it."""
    if request.client is None or any(name in request.headers for name in _PASSED_ON):
        return False
    try:
        address = ipaddress.ip_address(request.client.host)
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return bool((mapped or address).is_loopback)
