"""/api/openapi.json, and the same as a page at /api/docs that loads nothing from elsewhere."""

import json
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import Any

from aiohttp import web

_STYLE = """
body{font:16px/1.55 system-ui,sans-serif;max-width:60rem;margin:0 auto;padding:2rem 1.25rem 6rem;color:#17233f}
h1{font-size:1.6rem}h2{margin:2.5rem 0 .75rem;font-size:1.15rem;text-transform:capitalize}
details{border:1px solid #dfe4ee;border-radius:10px;margin:.5rem 0;padding:.2rem .9rem;background:#fff}
summary{cursor:pointer;padding:.45rem 0}summary b{display:inline-block;min-width:4.2rem;font-size:.8rem;color:#1f5fbf}
code{font:14px/1.5 ui-monospace,monospace}summary i{color:#61708c;font-style:normal;margin-left:.6rem}
table{border-collapse:collapse;width:100%;margin:.4rem 0 1rem;font-size:.92rem}
td{border-top:1px solid #eef1f7;padding:.3rem .6rem .3rem 0;vertical-align:top}td:first-child{white-space:nowrap}
h3{font-size:.85rem;margin:.8rem 0 0;color:#61708c}a{color:#1f5fbf}
"""
_HEADERS = {"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"}


def render(document: Mapping[str, Any]) -> tuple[str, str]:
    """The document as JSON and as a page."""
    return json.dumps(document, ensure_ascii=False), "".join(_page(document))


def routes(text: str, page: str) -> list[web.RouteDef]:
    async def as_json(_: web.Request) -> web.Response:
        return web.json_response(text=text)

    async def as_page(_: web.Request) -> web.Response:
        return web.Response(text=page, content_type="text/html", headers=_HEADERS)

    return [web.get("/api/openapi.json", as_json), web.get("/api/docs", as_page)]


def _page(document: Mapping[str, Any]) -> Iterator[str]:
    title = escape(document["info"]["title"])
    yield f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title>'
    yield f'<meta name="viewport" content="width=device-width, initial-scale=1"><style>{_STYLE}</style><h1>{title}</h1>'
    yield '<p>The same for programs: <a href="/api/openapi.json">openapi.json</a>. Signed-in calls carry '
    yield "<code>Authorization: Bearer &lt;session token&gt;</code>.</p>"
    tag = ""
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            if operation["tags"][0] != tag:
                tag = operation["tags"][0]
                yield f"<h2>{escape(tag)}</h2>"
            yield from _operation(path, method, operation)
    yield "<h2>Schemas</h2>"
    for name, schema in sorted(document["components"]["schemas"].items()):
        yield from _schema(name, schema)
    yield "</html>"


def _operation(path: str, method: str, operation: Mapping[str, Any]) -> Iterator[str]:
    yield f"<details><summary><b>{method.upper()}</b><code>{escape(path)}</code>"
    yield f"<i>{escape(operation['summary'])}</i></summary><p>{escape(operation['description'])}</p>"
    if operation["parameters"]:
        rows = [(each["name"], _kind(each["schema"]), each["in"]) for each in operation["parameters"]]
        yield f"<h3>Parameters</h3>{_table(rows)}"
    for content_type, content in operation.get("requestBody", {}).get("content", {}).items():
        yield f"<h3>Body, {escape(content_type)}</h3><p>{_kind(content['schema'])}</p>"
    rows = []
    for status, answer in operation["responses"].items():
        schema = answer["content"]["application/json"]["schema"]
        rows.append((status, _kind(schema.get("properties", {}).get("data", schema)), answer["description"]))
    yield f"<h3>Answers</h3>{_table(rows)}</details>"


def _schema(name: str, schema: Mapping[str, Any]) -> Iterator[str]:
    name, description = escape(name), escape(schema.get("description", ""))
    yield f'<details id="{name}"><summary><code>{name}</code></summary><p>{description}</p>'
    if "properties" in schema:
        required, fields = schema.get("required", ()), schema["properties"].items()
        yield _table([(field, _kind(kind), "required" if field in required else "") for field, kind in fields])
    elif "enum" in schema:
        yield f"<p>{_kind(schema)}</p>"
    yield "</details>"


def _table(rows: Sequence[tuple[str, str, str]]) -> str:
    cells = (f"<tr><td><code>{escape(name)}</code><td>{kind}<td>{escape(note)}" for name, kind, note in rows)
    return f"<table>{''.join(cells)}</table>"


def _kind(schema: Mapping[str, Any]) -> str:
    """A short description of a schema, as HTML."""
    if "$ref" in schema:
        name = escape(schema["$ref"].rpartition("/")[2])
        return f'<a href="#{name}">{name}</a>'
    if "enum" in schema:
        return " | ".join(f"<code>{escape(str(value))}</code>" for value in schema["enum"])
    for several in ("anyOf", "allOf"):
        if several in schema:
            return (" or " if several == "anyOf" else " and ").join(map(_kind, schema[several]))
    if schema.get("type") == "array":
        return f"list of {_kind(schema.get('items', {}))}"
    bounds = (f"{word} {schema[name]}" for name, word in _BOUNDS.items() if name in schema)
    return escape(", ".join([schema.get("format") or schema.get("type") or "anything", *bounds]))


_BOUNDS = {"minimum": "from", "maximum": "to", "maxLength": "at most", "pattern": "like"}
