"""The published schemas: an OpenAPI 3.1 document whose `webhooks` are the events that partners receive."""

from __future__ import annotations

from typing import Any

from pydantic import TypeAdapter

from broadcaster.channels.webhook.events import TEST, OutageEvent, TestEvent, type_of
from broadcaster.planning.phase import Phase

_SCHEMAS = "#/components/schemas/"
_ABOUT = (
    "What an endpoint that is registered with `broadcaster endpoint add` receives. Events follow Standard Webhooks: "
    "dedupe on `webhook-id`, verify `webhook-signature`, refuse a `webhook-timestamp` that is more than five minutes "
    "off. Fields may be added; ignore those that you do not know."
)
_WHEN = {
    Phase.NOTICE: "An outage is planned; also what is true now, for an endpoint that is new.",
    Phase.REMINDER: "A planned outage is near.",
    Phase.STARTED: "An outage has begun.",
    Phase.ONGOING: "An outage goes on; also what is true now, for an endpoint that is new.",
    Phase.CHANGED: "The plan is another one than this endpoint was told.",
    Phase.OVERRUN: "The planned end has passed, and nobody has confirmed that service is back.",
    Phase.RESTORED: "Service is back; somebody has confirmed it.",
    Phase.CANCELLED: "The outage was called off.",
}
_HEADERS = {
    "webhook-id": "The key of the event: the same key is the same event.",
    "webhook-timestamp": "When this attempt was signed, in seconds since 1970.",
    "webhook-signature": (
        "One or more signatures with a space between them, each `v1,` and the base64 of HMAC-SHA256 over "
        "`webhook-id.webhook-timestamp.body`. While a secret is being replaced there are two: one that fits is enough."
    ),
}
_ANSWERS = {
    "2XX": "The event is accepted, whatever the body says.",
    "410": "The endpoint wants no more events, and is disabled.",
    "default": (
        "Not accepted, a redirect included. The event is sent again, never before `Retry-After`, until it is accepted, "
        "a newer one takes its place, or it expires."
    ),
}


def document() -> dict[str, Any]:
    """The document as data."""
    types: tuple[type, ...] = (OutageEvent, TestEvent)
    _, schemas = TypeAdapter.json_schemas(
        ((kind, "serialization", TypeAdapter[Any](kind)) for kind in types), ref_template=f"{_SCHEMAS}{{model}}"
    )
    events = {type_of(phase): (when, "OutageEvent") for phase, when in _WHEN.items()}
    events[TEST] = ("Sent on request, to see whether an endpoint works.", "TestEvent")
    return {
        "openapi": "3.1.0",
        "info": {"title": "broadcaster: events for partners", "version": "1.0.0", "description": _ABOUT},
        "webhooks": {type_: {"post": _operation(type_, *said)} for type_, said in events.items()},
        "components": {"schemas": schemas["$defs"]},
    }


def _operation(type_: str, when: str, model: str) -> dict[str, Any]:
    schema = {
        "allOf": [{"$ref": f"{_SCHEMAS}{model}"}, {"type": "object", "properties": {"type": {"const": type_}}}],
    }
    return {
        "summary": when,
        "operationId": type_.replace(".", "_"),
        "parameters": [
            {"name": name, "in": "header", "required": True, "description": text, "schema": {"type": "string"}}
            for name, text in _HEADERS.items()
        ],
        "requestBody": {"required": True, "content": {"application/json": {"schema": schema}}},
        "responses": {status: {"description": text} for status, text in _ANSWERS.items()},
    }
