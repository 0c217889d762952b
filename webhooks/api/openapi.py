"""The OpenAPI document, generated from the endpoints' types.

Source: https://spec.openapis.org/oas/v3.1.1.html
"""

from collections.abc import Mapping, Sequence
from functools import cache
from http import HTTPStatus
from typing import Any

from pydantic import BaseModel, TypeAdapter
from pydantic.json_schema import JsonSchemaMode

from webhooks.api.endpoint import IDEMPOTENCY_KEY, IDENTIFIER, WRITES, Endpoint, Page, Who, Whole, inner

Json = dict[str, Any]


class WrongField(BaseModel):
    field: str
    message: str


class Failure(BaseModel):
    success: bool
    message: str
    """A sentence for people; the code is for programs."""
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
        "summary": each.run.__doc__,
        "description": f"For {each.who.value}.",
        "tags": [each.path.split("/")[2]],
        "parameters": _parameters(each, components),
        "responses": _responses(each, schemas),
    }
    if each.body is not None:
        content: Json = {"application/json": {"schema": schemas[_key(each, "body")]}}
        if each.files:
            fields = {name: {"type": "string"} for name in components[each.body.__name__]["properties"]}
            files = {"type": "array", "items": {"type": "string", "format": "binary"}}
            content["multipart/form-data"] = {"schema": {"type": "object", "properties": fields | {each.files: files}}}
        operation["requestBody"] = {"required": True, "content": content}
    if each.who is not Who.ANYONE:
        operation["security"] = [{"clerk": []}]
    return operation


def _parameters(each: Endpoint, components: Json) -> list[Json]:
    found: list[Json] = []
    if "{id}" in each.path:
        schema: Json = {"type": "string", "pattern": f"^{IDENTIFIER}$"}
        found.append({"name": "id", "in": "path", "required": True, "schema": schema})
    if each.query is not None:
        query = components[each.query.__name__]
        for name, schema in query["properties"].items():
            # Null means that the parameter isn't sent.
            kinds = [kind for kind in schema.get("anyOf", ()) if kind != {"type": "null"}]
            sent = kinds[0] if len(kinds) == 1 else schema
            found.append({"name": name, "in": "query", "required": name in query.get("required", ()), "schema": sent})
    if each.method in WRITES:
        schema = {"type": "string", "pattern": f"^{IDEMPOTENCY_KEY}$"}
        description = "A repeated key returns the first answer, for a day."
        header = {"name": "Idempotency-Key", "in": "header", "required": False}
        found.append(header | {"description": description, "schema": schema})
    return found


def _responses(each: Endpoint, schemas: Mapping[str, Json]) -> Json:
    answer, origin = schemas[_key(each, "answer")], getattr(each.returns, "__origin__", None)
    fields: Json = {"success": {"const": True}}
    if origin is Whole:
        success = {"type": "object", "required": ["success"], "properties": fields}
        whole: Json = {"allOf": [success, answer]}
    else:
        fields |= {"data": answer} | ({"total": {"type": "integer"}} if origin is Page else {})
        whole = {"type": "object", "required": [*fields], "properties": fields | {"message": {"type": "string"}}}
    responses = {each.status: whole} | dict.fromkeys(sorted(_failures(each)), schemas["failure"])
    return {
        str(status): {"description": HTTPStatus(status).phrase, "content": {"application/json": {"schema": schema}}}
        for status, schema in responses.items()
    }


def _failures(each: Endpoint) -> set[int]:
    """Every failing status that an endpoint can answer."""
    statuses = {415, 503, *each.also}  # an unknown charset or a compressed body; a database that is away
    if each.query is not None or each.body is not None or each.method in WRITES:
        statuses.add(400)
    if "{id}" in each.path:
        statuses.add(404)
    if each.who is not Who.ANYONE:
        statuses.add(401)
    if each.who in (Who.STAFF, Who.ADMIN) or (each.method in WRITES and "{id}" in each.path):
        statuses.add(403)
    if each.method in WRITES:
        statuses |= {408, 409, 413, 429}
    return statuses
