"""Documents made from rows: OpenAPI 3.1 for each site, and what is and is not emulated.

Response schemas are closed: `additionalProperties: false` on every object whose members are known,
so that a test against the document notices a member that should not be there. The output depends on
the rows alone and is in their order.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from inspect import cleandoc
from types import UnionType
from typing import (
    Annotated,
    Any,
    NotRequired,
    Required,
    Union,
    get_args,
    get_origin,
    get_type_hints,
    is_typeddict,
)

import msgspec

from emulator.web.contract import Kind, Parameter, Route, Site

_TEMPLATE = "#/components/schemas/{name}"
FORM = "application/x-www-form-urlencoded"


def document(site: Site, *, version: str = "") -> dict[str, Any]:
    """The OpenAPI document of a site. version: of the document; the emulator's, where it is known."""
    schemas = Schemas()
    paths: dict[str, dict[str, Any]] = {}
    for route in site.rows:
        operation = _operation(site, route, schemas.describe(route.answers))
        if route.body is not None:
            operation["requestBody"] = {
                "required": _is_needed(route.body),
                "content": {"application/json": {"schema": schemas.describe(route.body)}},
            }
        paths.setdefault(route.path, {})[route.method.lower()] = operation
    security = site.dialect.describe_security()
    return {
        "openapi": "3.1.0",
        "info": {
            "title": site.title,
            "version": version or "0",
            **({"description": site.description} if site.description else {}),
        },
        "servers": [{"url": site.prefix, "description": "By path prefix on the common port"}],
        "paths": paths,
        "components": {
            "schemas": {
                **dict(sorted(schemas.components.items())),
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


class Schemas:
    """JSON schemas of type expressions; types with a name become components, once each.

    msgspec describes what it can decode, which leaves out unions of several TypedDicts, because it
    could not tell them apart. An answer is only encoded, so here they are alternatives.
    """

    def __init__(self) -> None:
        self.components: dict[str, Any] = {}
        self._names: dict[Any, str] = {}

    def describe(self, kind: Any) -> dict[str, Any]:
        if kind is Any or kind is object:
            return {}
        if is_typeddict(kind):
            return self._refer(kind)
        origin, arguments = get_origin(kind), get_args(kind)
        if origin is Annotated:
            return self.describe(arguments[0])
        if origin is Union or origin is UnionType:
            return {"anyOf": [self.describe(member) for member in arguments]}
        if origin is list or origin is Sequence:
            return {"type": "array", "items": self.describe(arguments[0])}
        if origin is tuple:
            return self._tuple(arguments)
        if origin is dict or origin is Mapping:
            return {"type": "object", "additionalProperties": self.describe(arguments[1])}
        (schema,), components = msgspec.json.schema_components([kind], ref_template=_TEMPLATE)
        for name, component in components.items():
            self.components.setdefault(name, close(component))
        described: dict[str, Any] = close(schema)
        return described

    def _tuple(self, members: tuple[Any, ...]) -> dict[str, Any]:
        if len(members) == 2 and members[1] is Ellipsis:
            return {"type": "array", "items": self.describe(members[0])}
        return {
            "type": "array",
            "prefixItems": [self.describe(member) for member in members],
            "minItems": len(members),
            "maxItems": len(members),
        }

    def _refer(self, kind: Any) -> dict[str, Any]:
        name = self._names.get(kind)
        if name is None:
            name = kind.__name__
            if name in self.components:
                # Two modules use one name; the later one is told by its module.
                name = kind.__module__.rpartition(".")[2].title() + name
            assert name not in self.components, f"a third type is called {name}"
            self._names[kind] = name
            self.components[name] = {}
            self.components[name] = self._members(kind)
        return {"$ref": _TEMPLATE.format(name=name)}

    def _members(self, kind: Any) -> dict[str, Any]:
        properties: dict[str, Any] = {}
        required: list[str] = []
        for name, hint in get_type_hints(kind, include_extras=True).items():
            # With postponed annotations the class itself takes a NotRequired member for required.
            needed = name in kind.__required_keys__
            if get_origin(hint) in (Required, NotRequired):
                needed = get_origin(hint) is Required
                (hint,) = get_args(hint)
            properties[name] = self.describe(hint)
            if needed:
                required.append(name)
        schema: dict[str, Any] = {"type": "object"}
        if kind.__doc__:
            schema["description"] = cleandoc(kind.__doc__)
        schema["properties"] = properties
        if required:
            schema["required"] = required
        schema["additionalProperties"] = False
        return schema


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
    in_body = site.takes_json and route.method != "GET"
    operation["parameters"] = [] if in_body else [_parameter(each, route.path) for each in parameters]
    if route.method != "GET" and site.takes_json:
        if parameters:
            operation["requestBody"] = {
                "required": any(p.required for p in parameters),
                "content": {"application/json": {"schema": _members(parameters)}},
            }
    elif route.method != "GET" and parameters and site.takes_forms:
        operation["requestBody"] = {
            "required": False,
            "description": "Parameters may be sent as a form instead of in the query, or in both.",
            "content": {
                FORM: {
                    "schema": {
                        "type": "object",
                        "properties": {p.name: value_schema(p) for p in parameters},
                        "additionalProperties": not site.dialect.refuses_unknown(route),
                    }
                }
            },
        }
    if route.security.keyed:
        operation["security"] = [{name: [] for name in site.dialect.describe_security()}]
    operation["responses"] = {
        "200": {
            "description": "The answer",
            "content": {
                route.media or "application/json": {
                    "schema": _FILE if route.media else dict(site.dialect.describe_answer(schema))
                }
            },
        },
    }
    failures = {**site.dialect.describe_failures(route), **route.failures}
    for status, meaning in sorted(failures.items()):
        operation["responses"][str(status)] = _error(meaning, site.dialect.content_type)
    return operation


_FILE: Mapping[str, Any] = {"type": "string", "format": "binary"}


def operation_id(route: Route) -> str:
    """A name for the operation: its method and path in one word."""
    path = route.path.replace("{", "").replace("}", "")
    words = [word for part in path.split("/") for word in part.split("-") if word]
    return route.method.lower() + "".join(word[0].upper() + word[1:] for word in words)


def _error(description: str, content_type: bytes) -> dict[str, Any]:
    media = content_type.decode().partition(";")[0]
    return {
        "description": description,
        "content": {media: {"schema": {"$ref": _TEMPLATE.format(name="Error")}}},
    }


def _words(group: tuple[str, ...]) -> str:
    return " and ".join(group) if len(group) == 2 else ", ".join(group)


def _is_needed(body: Any) -> bool:
    """Whether a JSON body of this type has a member that must be there."""
    return any(field.required for field in msgspec.structs.fields(body))


def _parameter(parameter: Parameter, path: str) -> dict[str, Any]:
    in_path = f"{{{parameter.name}}}" in path
    described: dict[str, Any] = {"name": parameter.name, "in": "path" if in_path else "query"}
    if parameter.required or in_path:
        # A document cannot say "in the query or in the form"; the answer to a missing one is -1102.
        described["required"] = True
    if parameter.description:
        described["description"] = parameter.description
    described["schema"] = value_schema(parameter)
    return described


def _members(parameters: Iterable[Parameter]) -> dict[str, Any]:
    """The JSON schema of an object with these members, among others."""
    schema: dict[str, Any] = {
        "type": "object",
        "properties": {each.name: value_schema(each) for each in parameters},
        "additionalProperties": True,
    }
    required = [each.name for each in parameters if each.required]
    if required:
        schema["required"] = required
    return schema


_ANY_TEXT = r"[^\x00-\x1f\x7f]+"
_ANY_MEMBER = r'[^"\\\x00-\x1f\x7f]{1,100}'


def value_schema(parameter: Parameter) -> dict[str, Any]:
    """The JSON schema of a parameter's text, as a client sends it."""
    schema: dict[str, Any]
    match parameter.kind:
        case Kind.TEXT:
            pattern = _ANY_TEXT if parameter.pattern is None else parameter.pattern
            schema = {
                "type": "string",
                "minLength": 1,
                "maxLength": parameter.length_max,
                "pattern": f"^(?:{pattern})$",
            }
        case Kind.DECIMAL:
            places = 20 if parameter.decimals is None else parameter.decimals
            sign = "-?" if parameter.minimum is not None and parameter.minimum < 0 else ""
            schema = {"type": "string", "pattern": rf"^{sign}[0-9]{{1,20}}(\.[0-9]{{1,{places}}})?$"}
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
            member = rf'"(?:{_ANY_MEMBER if parameter.pattern is None else parameter.pattern})"'
            schema = {
                "type": "string",
                "contentMediaType": "application/json",
                "pattern": rf"^\[(?:{member}(?:,{member})*)?\]$",
            }
        case Kind.REQUEST_LIST:
            schema = {
                "type": "array",
                "items": _members(parameter.members),
                "minItems": 1,
                "maxItems": parameter.members_max,
            }
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
