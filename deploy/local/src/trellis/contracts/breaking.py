"""Would a client of the released contract break under the present one?

What may be sent must not get narrower, and what is answered must not get wider. Fields, parameters and operations may
be added; a property of an answer may not vanish, become optional, become nullable or take new words; a request may
not need more than it did, nor lose a parameter or field (an unknown one is refused). The codes of problems are open:
clients treat one that they don't know as its status.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from trellis.contracts.documents import Contract, operations

Schema = dict[str, Any]

SEND, ANSWER = "request", "response"
_PROBLEM = "application/problem+json"
_DEPTH = 24


@dataclass(frozen=True, slots=True)
class Break:
    """One thing that a client of the released contract may rely on and no longer can."""

    where: str
    what: str

    @property
    def id(self) -> str:
        """How an accepted break is named in `accepted-breaks.toml`."""
        return f"{self.where}: {self.what}"


def breaks(old: Contract, new: Contract) -> list[Break]:
    """Every break, in the order of the released contract."""
    found: list[Break] = []
    now = {(method, path): operation for method, path, operation in operations(new)}
    for method, path, was in operations(old):
        where = f"{method.upper()} {path}"
        operation = now.get((method, path))
        if operation is None:
            found.append(Break(where, "operation removed"))
            continue
        found += _Comparison(old, new, where).operation(was, operation)
    return found


class _Comparison:
    """One operation, before and after."""

    def __init__(self, old: Contract, new: Contract, where: str) -> None:
        self._old = old
        self._new = new
        self._where = where

    def operation(self, was: Schema, now: Schema) -> Iterator[Break]:
        if was.get("operationId") != now.get("operationId"):
            yield self._break(f"operation id {was.get('operationId')} became {now.get('operationId')}")
        yield from self._scopes(was, now)
        yield from self._parameters(was, now)
        yield from self._body(was.get("requestBody"), now.get("requestBody"))
        yield from self._answers(was.get("responses", {}), now.get("responses", {}))

    def _break(self, what: str) -> Break:
        return Break(self._where, what)

    def _scopes(self, was: Schema, now: Schema) -> Iterator[Break]:
        def needed(operation: Schema) -> list[set[str]]:
            return [{scope for scopes in one.values() for scope in scopes} for one in operation.get("security", [])]

        before, after = needed(was), needed(now)
        if not after:
            return
        if not before:
            yield self._break("needs a token now")
            return
        for alternative in before:
            if not any(now_needed <= alternative for now_needed in after):
                more = sorted(set().union(*after) - alternative)
                yield self._break(f"needs more scopes: {' '.join(more)}")

    def _parameters(self, was: Schema, now: Schema) -> Iterator[Break]:
        before = {(one["in"], one["name"].lower()): one for one in self._resolved(was, self._old)}
        after = {(one["in"], one["name"].lower()): one for one in self._resolved(now, self._new)}
        for key, parameter in before.items():
            name = f"{key[0]} parameter {parameter['name']}"
            if key not in after:
                yield self._break(f"{name} removed")
                continue
            if after[key].get("required") and not parameter.get("required"):
                yield self._break(f"{name} became required")
            yield from self._schema(parameter.get("schema", {}), after[key].get("schema", {}), name, SEND)
        for key, parameter in after.items():
            if key not in before and parameter.get("required"):
                yield self._break(f"required {key[0]} parameter {parameter['name']} added")

    def _resolved(self, operation: Schema, contract: Contract) -> list[Schema]:
        return [_resolve(one, contract) for one in operation.get("parameters", [])]

    def _body(self, was: Schema | None, now: Schema | None) -> Iterator[Break]:
        if was is None:
            if now is not None and now.get("required"):
                yield self._break("a body became required")
            return
        if now is None:
            yield self._break("body removed")
            return
        if now.get("required") and not was.get("required"):
            yield self._break("the body became required")
        yield from self._contents(was, now, "body", SEND)

    def _answers(self, was: Schema, now: Schema) -> Iterator[Break]:
        for status, answer in was.items():
            if status not in now:
                if status.startswith("2"):
                    yield self._break(f"answer {status} removed")
                continue
            before, after = _resolve(answer, self._old), _resolve(now[status], self._new)
            for header in before.get("headers", {}):
                if header not in after.get("headers", {}):
                    yield self._break(f"answer {status} header {header} removed")
            yield from self._contents(before, after, f"answer {status}", ANSWER)
        for status in now:
            if status.startswith("2") and status not in was:
                yield self._break(f"answer {status} added")

    def _contents(self, was: Schema, now: Schema, name: str, way: str) -> Iterator[Break]:
        for media_type, content in was.get("content", {}).items():
            other = now.get("content", {}).get(media_type)
            if other is None:
                yield self._break(f"{name} no longer {media_type}")
                continue
            before, after = content.get("schema", {}), other.get("schema", {})
            if media_type == _PROBLEM:
                before, after = _with_open_code(before, self._old), _with_open_code(after, self._new)
            yield from self._schema(before, after, name, way)

    def _schema(self, was: Schema, now: Schema, at: str, way: str, depth: int = 0) -> Iterator[Break]:
        """Compare two schemas; a schema that refers to itself is followed to a bounded depth."""
        if depth > _DEPTH or was == {} or (was.get("$ref") and was == now and depth > 6):
            return
        was, choices = _plain(was, self._old), _choices(now, self._new)
        if way == ANSWER and "properties" in was and len(choices) > 1:
            # One of several kinds now: each of them must be what readers know.
            each = [one for choice in choices for one in self._schema(was, choice, at, way, depth + 1)]
            yield from dict.fromkeys(each)
            return
        now = _plain(now, self._new)
        yield from self._types(was, now, at, way)
        yield from self._words(was, now, at, way)
        if way == SEND:
            yield from self._bounds(was, now, at)
        yield from self._properties(was, now, at, way, depth)
        if "items" in was and "items" in now:
            yield from self._schema(was["items"], now["items"], f"{at}[]", way, depth + 1)

    def _types(self, was: Schema, now: Schema, at: str, way: str) -> Iterator[Break]:
        before, after = _types_of(was), _types_of(now)
        if before and after:
            lost, gained = before - after, after - before
            if way == SEND and lost:
                yield self._break(f"{at} no longer takes {', '.join(sorted(lost))}")
            if way == ANSWER and gained:
                yield self._break(f"{at} may now be {', '.join(sorted(gained))}")
        if was.get("format") != now.get("format") and was.get("format") is not None:
            yield self._break(f"{at} format {was.get('format')} became {now.get('format')}")

    def _words(self, was: Schema, now: Schema, at: str, way: str) -> Iterator[Break]:
        before, after = _words_of(was), _words_of(now)
        if way == SEND and after is not None:
            gone = sorted(map(str, before - after)) if before is not None else ["other words"]
            if gone:
                yield self._break(f"{at} no longer takes {', '.join(gone)}")
        if way == ANSWER and before is not None:
            added = sorted(map(str, after - before)) if after is not None else ["other words"]
            if added:
                yield self._break(f"{at} may now be {', '.join(added)}")

    def _bounds(self, was: Schema, now: Schema, at: str) -> Iterator[Break]:
        for word in ("minimum", "exclusiveMinimum", "minLength", "minItems"):
            if word in now and (word not in was or now[word] > was[word]):
                yield self._break(f"{at} {word} became {now[word]}")
        for word in ("maximum", "exclusiveMaximum", "maxLength", "maxItems"):
            if word in now and (word not in was or now[word] < was[word]):
                yield self._break(f"{at} {word} became {now[word]}")
        if now.get("pattern") not in (None, was.get("pattern")):
            yield self._break(f"{at} pattern changed")

    def _properties(self, was: Schema, now: Schema, at: str, way: str, depth: int) -> Iterator[Break]:
        before, after = was.get("properties", {}), now.get("properties", {})
        required_before, required_after = set(was.get("required", [])), set(now.get("required", []))
        for name, schema in before.items():
            inner = f"{at}.{name}"
            if name not in after:
                if way == ANSWER or now.get("additionalProperties") is False:
                    yield self._break(f"{inner} removed")
                continue
            if way == ANSWER and name in required_before - required_after:
                yield self._break(f"{inner} may now be absent")
            if way == SEND and name in required_after - required_before:
                yield self._break(f"{inner} became required")
            yield from self._schema(schema, after[name], inner, way, depth + 1)
        if way == SEND:
            for name in sorted((set(after) - set(before)) & required_after):
                yield self._break(f"required {at}.{name} added")


def _resolve(schema: Schema, contract: Contract) -> Schema:
    seen = 0
    while "$ref" in schema and seen < _DEPTH:
        node: Any = contract
        for part in schema["$ref"].removeprefix("#/").split("/"):
            node = node[part.replace("~1", "/").replace("~0", "~")]
        schema = node
        seen += 1
    return schema


def _plain(schema: Schema, contract: Contract) -> Schema:
    """A schema with its reference followed, its `allOf` merged and a nullable `anyOf` folded into types."""
    schema = _resolve(schema, contract)
    if "allOf" in schema:
        merged: Schema = {key: value for key, value in schema.items() if key != "allOf"}
        for part in schema["allOf"]:
            plain = _plain(part, contract)
            properties = {**merged.get("properties", {}), **plain.get("properties", {})}
            required = [*merged.get("required", []), *plain.get("required", [])]
            merged = {**merged, **plain, "properties": properties, "required": required}
        return merged
    branches = schema.get("anyOf") or schema.get("oneOf")
    if branches:
        plain_branches = [_plain(branch, contract) for branch in branches]
        types = set().union(*(_types_of(branch) for branch in plain_branches))
        values = [branch for branch in plain_branches if branch.get("type") != "null"]
        base = dict(values[0]) if len(values) == 1 else {}
        return {**base, "type": sorted(types)} if types else base
    return schema


def _choices(schema: Schema, contract: Contract) -> list[Schema]:
    """The kinds of object that a schema is one of; none when it is a single one."""
    plain = _resolve(schema, contract)
    kinds = [_plain(one, contract) for one in plain.get("oneOf") or plain.get("anyOf") or ()]
    return [one for one in kinds if one.get("type") != "null"]


def _with_open_code(schema: Schema, contract: Contract) -> Schema:
    """A problem whose code may be any text: new ones are added to operations, and clients expect them."""
    plain = _plain(schema, contract)
    properties: Schema = plain.get("properties", {})
    if "code" not in properties:
        return plain
    code = {name: value for name, value in properties["code"].items() if name != "enum"}
    return {**plain, "properties": {**properties, "code": code}}


def _types_of(schema: Schema) -> set[str]:
    given = schema.get("type")
    if given is None:
        return set()
    types = {given} if isinstance(given, str) else set(given)
    # A whole number is a number: a reader of numbers takes both.
    return {"number", "integer"} | types if "number" in types else types


def _words_of(schema: Schema) -> set[Any] | None:
    """The closed list of values; None when any is allowed."""
    if "const" in schema:
        return {schema["const"]}
    return set(schema["enum"]) if "enum" in schema else None
