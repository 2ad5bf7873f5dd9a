"""Documents made from rows: OpenAPI 3.1 for each site, and what is and is not emulated.

Response schemas are closed: `additionalProperties: false` on every object whose members are known,
so that a test against the document notices a member that should not be there. The output depends on
the rows alone and is in their order.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

import msgspec

from emulator.web.contract import Kind, Parameter, Route, Site

_TEMPLATE = "#/components/schemas/{name}"
FORM = "application/x-www-form-urlencoded"


def document(site: Site, *, version: str = "") -> dict[str, Any]:
    """The OpenAPI document of a site. version: of the document; the emulator's, where it is known."""
    types = [route.answers for route in site.rows]
    schemas, components = msgspec.json.schema_components(types, ref_template=_TEMPLATE)
    paths: dict[str, dict[str, Any]] = {}
    for route, schema in zip(site.rows, schemas, strict=True):
        operation = _operation(site, route, close(schema))
        paths.setdefault(route.path, {})[route.method.lower()] = operation
    security = site.dialect.describe_security()
    return {
        "openapi": "3.1.0",
        "info": {
            "title": site.title,
            "version": version or "0",
            **({"description": site.description} if site.description else {}),
        },
        "servers": [{"url": f"/{site.name}", "description": "By path prefix on the common port"}],
        "paths": paths,
        "components": {
            "schemas": {
                **{name: close(components[name]) for name in sorted(components)},
                "Error": close(dict(site.dialect.describe_errors())),
            },
            "securitySchemes": {name: dict(scheme) for name, scheme in security.items()},
        },
    }


def coverage(sites: Iterable[Site]) -> list[dict[str, Any]]:
    """Every path that is emulated, and every one that is known to be missing, with its reason."""
    listed: list[dict[str, Any]] = []
    for site in sites:
        for route in site.rows:
            listed.append(
                {
                    "site": site.name,
                    "method": route.method,
                    "path": route.path,
                    "emulated": True,
                    "note": route.summary,
                }
            )
        for missing in site.not_emulated:
            listed.append(
                {
                    "site": site.name,
                    "method": missing.method,
                    "path": missing.path,
                    "emulated": False,
                    "note": missing.why,
                }
            )
    return listed


def close(schema: Any) -> Any:
    """The schema with every object that names its members closed to others; titles are dropped."""
    match schema:
        case dict():
            closed = {
                name: close(part)
                for name, part in schema.items()
                if not (name == "title" and isinstance(part, str))
            }
            if closed.get("type") == "object" and "properties" in closed:
                closed.setdefault("additionalProperties", False)
            return closed
        case list():
            return [close(part) for part in schema]
        case _:
            return schema


def _operation(site: Site, route: Route, schema: Any) -> dict[str, Any]:
    parameters = (*route.parameters, *site.dialect.describe_parameters(route))
    operation: dict[str, Any] = {
        "operationId": operation_id(route),
        "summary": route.summary,
    }
    notes = [route.description] if route.description else []
    notes += [f"One of {_words(group)} must be sent." for group in route.one_of]
    notes += [f"At most one of {_words(group)} may be sent." for group in route.exclusive]
    if notes:
        operation["description"] = " ".join(notes)
    if route.deprecated:
        operation["deprecated"] = True
    # Every method takes its parameters in the query; a form body is another way to send them.
    operation["parameters"] = [_query_parameter(parameter) for parameter in parameters]
    if route.method != "GET" and parameters:
        operation["requestBody"] = {
            "required": False,
            "description": "Parameters may be sent as a form instead of in the query, or in both.",
            "content": {
                FORM: {
                    "schema": {
                        "type": "object",
                        "properties": {p.name: value_schema(p) for p in parameters},
                        "additionalProperties": False,
                    }
                }
            },
        }
    if route.security.keyed:
        operation["security"] = [{name: [] for name in site.dialect.describe_security()}]
    operation["responses"] = {
        "200": {
            "description": "The answer",
            "content": {"application/json": {"schema": schema}},
        },
        "4XX": _error("What is wrong with the request"),
        "5XX": _error("The exchange's own outage answers, while storage is down or by injection"),
    }
    return operation


def operation_id(route: Route) -> str:
    """A name for the operation: its method and path in one word."""
    words = [word for part in route.path.split("/") for word in part.split("-") if word]
    return route.method.lower() + "".join(word[0].upper() + word[1:] for word in words)


def _error(description: str) -> dict[str, Any]:
    return {
        "description": description,
        "content": {"application/json": {"schema": {"$ref": _TEMPLATE.format(name="Error")}}},
    }


def _words(group: tuple[str, ...]) -> str:
    return " and ".join(group) if len(group) == 2 else ", ".join(group)


def _query_parameter(parameter: Parameter) -> dict[str, Any]:
    described: dict[str, Any] = {"name": parameter.name, "in": "query"}
    if parameter.required:
        # A document cannot say "in the query or in the form"; the answer to a missing one is -1102.
        described["required"] = True
    if parameter.description:
        described["description"] = parameter.description
    described["schema"] = value_schema(parameter)
    return described


def value_schema(parameter: Parameter) -> dict[str, Any]:
    """The JSON schema of a parameter's text, as a client sends it."""
    schema: dict[str, Any]
    match parameter.kind:
        case Kind.TEXT:
            schema = {"type": "string", "maxLength": parameter.length_max}
            if parameter.pattern is not None:
                schema["pattern"] = f"^(?:{parameter.pattern})$"
        case Kind.DECIMAL:
            schema = {"type": "string", "pattern": r"^[0-9]{1,20}(\.[0-9]{1,20})?$"}
        case Kind.INTEGER:
            schema = {"type": "integer", "minimum": 0, "maximum": 9_223_372_036_854_775_807}
            schema |= _limits(parameter)
        case Kind.TIME:
            schema = {"type": "integer", "minimum": 0, "maximum": 9_223_372_036_854_775_807}
        case Kind.BOOLEAN:
            schema = {"type": "boolean"}
        case Kind.CHOICE:
            schema = {"type": "string", "enum": list(parameter.choices)}
        case Kind.TEXT_LIST:
            schema = {"type": "string", "contentMediaType": "application/json"}
    if parameter.default is not None:
        schema["default"] = _plain(parameter.default)
    return schema


def _limits(parameter: Parameter) -> Mapping[str, Any]:
    limits: dict[str, Any] = {}
    if parameter.minimum is not None:
        limits["minimum"] = _plain(parameter.minimum)
    if parameter.maximum is not None and not parameter.clamped:
        limits["maximum"] = _plain(parameter.maximum)
    return limits


def _plain(value: Any) -> Any:
    match value:
        case Decimal():
            return str(value)
        case tuple():
            return list(value)
        case _:
            return value
