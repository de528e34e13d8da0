"""The API reference as pages of our own: no script, no other host."""

import html
import re
from pathlib import Path
from typing import Any, Final

HEADERS: Final = [
    (
        b"content-security-policy",
        (
            b"default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; "
            b"frame-ancestors 'none'"
        ),
    ),
    (b"cache-control", b"public, max-age=300"),
]
_ERRORS: Final = Path(__file__).resolve().parents[3] / "docs" / "errors.md"
STYLES: Final = Path(__file__).with_name("reference.css").read_bytes()
_ORDER: Final = ("get", "post", "patch", "put", "delete")


def page(document: dict[str, Any]) -> str:
    """The reference of all methods and messages."""
    operations: dict[str, list[tuple[str, str, dict[str, Any]]]] = {}
    for path, verbs in document["paths"].items():
        for verb in sorted(verbs, key=_ORDER.index):
            operations.setdefault(verbs[verb]["tags"][0], []).append((verb, path, verbs[verb]))
    names = sorted(operations)
    contents = "".join(f'<li><a href="#{name}">{_words(name)}</a></li>' for name in names)
    sections = "".join(_section(name, operations[name]) for name in names)
    schemas = document["components"]["schemas"]
    messages = "".join(_schema(name, schemas[name]) for name in schemas)
    body = (
        f"<p class=lead>{_inline(document['info']['description'])}</p>"
        f'<p><a href="/openapi.json">OpenAPI document</a> · <a href="/docs/errors">Error codes</a></p>'
        f"{sections}<section id=schemas><h2>Types</h2>{messages}</section>"
    )
    nav = f'<ul>{contents}<li><a href="#schemas">Types</a></li></ul>'
    return _shell("Tallyport API", nav, body)


def errors_page() -> str:
    """Every error code with what it means, from docs/errors.md where the source tree has it."""
    rows = []
    text = _ERRORS.read_text() if _ERRORS.exists() else ""
    for reason, status, meaning in re.findall(r"^\| `(\w+)` \| (\d+) \| (.+?) \|$", text, re.MULTILINE):
        code = reason.lower()
        rows.append(
            f"<tr id={code}><td><code>{code}</code></td><td>{status}</td><td>{html.escape(meaning)}</td></tr>"
        )
    table = (
        f"<table><thead><tr><th>Code<th>Status<th>Meaning</tr></thead><tbody>{''.join(rows)}</tbody></table>"
    )
    return _shell("Error codes", '<ul><li><a href="/docs">API reference</a></li></ul>', table)


def _shell(title: str, nav: str, body: str) -> str:
    return (
        "<!doctype html><html lang=en><head><meta charset=utf-8>"
        '<meta name=viewport content="width=device-width, initial-scale=1">'
        f"<title>{title}</title><link rel=stylesheet href=/docs/reference.css></head><body>"
        f"<a class=skip href=#content>Skip to content</a><header><h1>{title}</h1></header>"
        f"<div class=columns><nav aria-label=Contents>{nav}</nav><main id=content>{body}</main></div></body></html>"
    )


def _section(name: str, operations: list[tuple[str, str, dict[str, Any]]]) -> str:
    items = "".join(_operation(verb, path, operation) for verb, path, operation in operations)
    return f"<section id={name}><h2>{_words(name)}</h2>{items}</section>"


def _operation(verb: str, path: str, operation: dict[str, Any]) -> str:
    paragraphs = "".join(f"<p>{_inline(text)}</p>" for text in operation["description"].split("\n\n"))
    rows = "".join(
        f"<tr><td><code>{html.escape(p['name'])}</code></td><td>{p['in']}</td><td>{_type(p['schema'])}</td>"
        f"<td>{html.escape(p.get('description') or p['schema'].get('description', ''))}</td></tr>"
        for p in operation["parameters"]
    )
    parameters = (
        f"<table><thead><tr><th>Name<th>In<th>Type<th>Meaning</tr></thead>{rows}</table>" if rows else ""
    )
    body = operation.get("requestBody", {}).get("content", {}).get("application/json")
    request = f"<p>Body: {_type(body['schema'])}</p>" if body else ""
    media_type, content = next(iter(operation["responses"]["200"]["content"].items()))
    answer = _type(content["schema"]) if "$ref" in content["schema"] else "a file"
    return (
        f"<article id={operation['operationId']}><h3><span class=verb>{verb.upper()}</span> "
        f"<code>{html.escape(path)}</code></h3>{paragraphs}{parameters}{request}"
        f"<p>Answer: {answer} <small>{media_type}</small></p></article>"
    )


def _schema(name: str, schema: dict[str, Any]) -> str:
    rows = "".join(
        f"<tr><td><code>{field}</code></td><td>{_type(value)}</td>"
        f"<td>{html.escape(value.get('description', ''))}</td></tr>"
        for field, value in schema.get("properties", {}).items()
    )
    text = html.escape(schema.get("description", ""))
    return f"<article id={_anchor(name)}><h3>{name}</h3><p>{text}</p><table>{rows}</table></article>"


def _type(schema: dict[str, Any]) -> str:
    if "$ref" in schema:
        name = schema["$ref"].rsplit("/", 1)[1]
        return f'<a href="#{_anchor(name)}">{name}</a>'
    for key in ("oneOf", "allOf"):
        if key in schema:
            return _type(schema[key][0])
    if "enum" in schema:
        return "one of " + ", ".join(f"<code>{word}</code>" for word in schema["enum"] if word is not None)
    if schema.get("type") == "array":
        return f"list of {_type(schema['items'])}"
    kind = schema.get("type", "object")
    return html.escape(kind if isinstance(kind, str) else kind[0]) + (
        f" ({schema['format']})" if "format" in schema else ""
    )


def _inline(text: str) -> str:
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", html.escape(text))


def _words(name: str) -> str:
    words = re.sub(r"(?<!^)(?=[A-Z])", " ", name)
    return words.capitalize().replace("Api ", "API ")


def _anchor(name: str) -> str:
    return name.replace(".", "-")
