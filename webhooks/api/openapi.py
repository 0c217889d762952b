"""The OpenAPI document, generated from the endpoints' types.

Source: https://spec.openapis.org/oas/v3.1.1.html
"""

from collections.abc import Mapping, Sequence
from functools import cache
from http import HTTPStatus
from typing import Any

from pydantic import BaseModel, TypeAdapter
from pydantic.json_schema import JsonSchemaMode

from webhooks.api.endpoint import IDENTIFIER, WRITES, Endpoint, Page, Who, Whole, inner

Json = dict[str, Any]


class WrongField(BaseModel):
    """What is wrong with one field."""

    field: str
    message: str


class Failure(BaseModel):
    """Every failure: a sentence for people, a code for programs."""

    success: bool
    message: str
    code: str
    errors: list[WrongField] | None = None


def document(endpoints: Sequence[Endpoint], *, title: str, version: str, server: str) -> Json:
    schemas, components = _schemas(tuple(endpoints))
    paths: Json = {}
    for each in endpoints:
        paths.setdefault(each.path, {})[each.method.lower()] = _operation(each, schemas, components)
    return {
        "openapi": "3.1.0",
        "info": {"title": title, "version": version},
        "servers": [{"url": server}],
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {"clerk": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}},
        },
    }


@cache
def _schemas(endpoints: tuple[Endpoint, ...]) -> tuple[Mapping[str, Json], Json]:
    """The schema of each request and response type, by `_key`, and the components they refer to."""
    wanted: list[tuple[str, JsonSchemaMode, TypeAdapter[Any]]] = [("failure", "serialization", TypeAdapter(Failure))]
    for each in endpoints:
        given = {"query": each.query, "body": each.body}
        wanted += [(_key(each, what), "validation", TypeAdapter(kind)) for what, kind in given.items() if kind]
        wanted.append((_key(each, "answer"), "serialization", TypeAdapter(inner(each.returns))))
    found, definitions = TypeAdapter.json_schemas(wanted, ref_template="#/components/schemas/{model}")
    return {key: schema for (key, _), schema in found.items()}, definitions["$defs"]


def _key(each: Endpoint, what: str) -> str:
    return f"{each.name} {what}"


def _operation(each: Endpoint, schemas: Mapping[str, Json], components: Json) -> Json:
    operation: Json = {
        "operationId": each.name,
        "summary": each.summary,
        "description": f"For {each.who.value}.",
        "tags": [each.path.split("/")[2]],
        "parameters": [*_path(each), *_query(each, components), *_headers(each)],
        "responses": _responses(each, schemas),
    }
    if each.body is not None:
        operation["requestBody"] = {"required": True, "content": _content(each, schemas)}
    if each.who is not Who.ANYONE:
        operation["security"] = [{"clerk": []}]
    return operation


def _path(each: Endpoint) -> list[Json]:
    if "{id}" not in each.path:
        return []
    return [{"name": "id", "in": "path", "required": True, "schema": {"type": "string", "pattern": f"^{IDENTIFIER}$"}}]


def _query(each: Endpoint, components: Json) -> list[Json]:
    if each.query is None:
        return []
    schema = components[each.query.__name__]
    return [
        {"name": name, "in": "query", "required": name in schema.get("required", ()), "schema": _sent(kind)}
        for name, kind in schema["properties"].items()
    ]


def _sent(schema: Json) -> Json:
    """A query parameter's schema: null means that it isn't sent."""
    kinds = [kind for kind in schema.get("anyOf", ()) if kind != {"type": "null"}]
    return kinds[0] if len(kinds) == 1 else schema


def _headers(each: Endpoint) -> list[Json]:
    if each.name != "create_booking":
        return []
    schema = {"type": "string", "pattern": "^[!-~]{1,200}$"}
    description = "A repeated key returns the first answer."
    return [
        {"name": "Idempotency-Key", "in": "header", "required": False, "description": description, "schema": schema}
    ]


def _content(each: Endpoint, schemas: Mapping[str, Json]) -> Json:
    content: Json = {"application/json": {"schema": schemas[_key(each, "body")]}}
    if each.takes_files:
        files = {"type": "array", "items": {"type": "string", "format": "binary"}}
        form = {"type": "object", "properties": {"note": {"type": "string"}, "photos": files}}
        content["multipart/form-data"] = {"schema": form}
    return content


def _responses(each: Endpoint, schemas: Mapping[str, Json]) -> Json:
    success = {"type": "object", "required": ["success"], "properties": {"success": {"const": True}}}
    answer = schemas[_key(each, "answer")]
    origin = getattr(each.returns, "__origin__", None)
    if origin is Whole:
        whole: Json = {"allOf": [success, answer]}
    else:
        fields = {"success": {"const": True}, "data": answer, "message": {"type": "string"}}
        required = ["success", "data"]
        if origin is Page:
            fields["total"] = {"type": "integer"}
            required.append("total")
        whole = {"type": "object", "required": required, "properties": fields}
    responses: Json = {str(each.status): _response(each.status, whole)}
    for status in sorted(_failures(each)):
        responses[str(status)] = _response(status, schemas["failure"])
    return responses


def _response(status: int, schema: Json) -> Json:
    return {"description": HTTPStatus(status).phrase, "content": {"application/json": {"schema": schema}}}


def _failures(each: Endpoint) -> set[int]:
    """Every failing status that an endpoint can answer."""
    statuses = {415, 503, *each.also}  # an unknown charset or a compressed body; a database that is away
    if each.query is not None or each.body is not None:
        statuses.add(400)
    if "{id}" in each.path:
        statuses.add(404)
    if each.who is not Who.ANYONE:
        statuses.add(401)
    if each.who in (Who.STAFF, Who.ADMIN) or (each.method in WRITES and "{id}" in each.path):
        statuses.add(403)
    if each.method in WRITES:
        statuses |= {408, 413, 429}
    return statuses
