"""Errors in the contract: one schema for all of them, and an example for each code."""

import copy
import json
import re
from collections.abc import Iterator
from typing import Any

from pydantic.json_schema import models_json_schema

from kit import problems
from kit.database.outages import DatabaseUnavailable
from kit.identity.reach import ActsOn
from kit.problems import MEDIA_TYPE, PROBLEM_SCHEMA, PROBLEMS, FieldError, Problem, ProblemOut, response_of
from kit.web.idempotency import HEADER, IdempotencyKeyInvalid, IdempotencyKeyReused
from kit.web.security import SCHEME_NAME

Json = dict[str, Any]
ACTS_ON = "x-acts-on"
"""On operations that write: what they act on, and so which grants are enough (`kit.identity.reach.ActsOn`)."""
_EXAMPLES = "#/components/examples/"

# Codes that come along with others of the same status.
_COMPANIONS = frozenset(
    {"malformed-request", "insufficient-scope", "payload-too-large", "unsupported-media-type", "invalid-request"}
    | {"database-unavailable", "idempotency-key-invalid"}
)
RATE_LIMIT_HEADERS: Json = {
    "RateLimit": {
        "description": 'What is left, such as `"requests";r=5998` (draft-ietf-httpapi-ratelimit-headers).',
        "schema": {"type": "string"},
    },
    "RateLimit-Policy": {
        "description": 'The limit, such as `"requests";q=6000;w=60`.',
        "schema": {"type": "string"},
    },
}
_RETRY_AFTER: Json = {
    "Retry-After": {
        "description": "Seconds to wait.",
        "required": True,
        "schema": {"type": "integer", "minimum": 0},
    }
}
_HEADERS: dict[str, Json] = {
    "401": {"WWW-Authenticate": {"description": "RFC 6750.", "required": True, "schema": {"type": "string"}}},
    "429": {**_RETRY_AFTER, **RATE_LIMIT_HEADERS},
    **dict.fromkeys(("502", "503", "504", "507"), _RETRY_AFTER),
}


def problem_schemas() -> Json:
    """The schema of every error and of one fault in it."""
    _, written = models_json_schema(
        [(ProblemOut, "serialization"), (FieldError, "serialization")],
        ref_template="#/components/schemas/{model}",
    )
    found: Json = written["$defs"]
    return found


def house_problems(operation: Json, method: str, names: set[tuple[str, str]]) -> list[type[Problem]]:
    """What every operation like this one can run into, so that no route repeats it."""
    found: list[type[Problem]] = [
        problems.MalformedRequest,
        problems.InvalidRequest,
        problems.TooManyRequests,
        problems.ServiceUnavailable,
        DatabaseUnavailable,
    ]
    if operation.get("security"):
        found.append(problems.Unauthorized)
        if any(requirement.get(SCHEME_NAME) for requirement in operation["security"]):
            found.append(problems.InsufficientScope)
        if operation.get(ACTS_ON) in {ActsOn.WHOLE_TRUST, ActsOn.ACADEMY_OR_TRUST}:
            found.append(problems.WholeTrustOnly)
    if "requestBody" in operation:
        found += [problems.PayloadTooLarge, problems.UnsupportedMediaType]
    elif method != "get":
        found.append(problems.PayloadTooLarge)
    if {("query", "cursor"), ("query", "after")} & names:
        found.append(problems.InvalidCursor)
    if ("header", "If-Match") in names:
        found += [problems.PreconditionFailed, problems.PreconditionRequired]
    if ("header", HEADER) in names:
        found += [IdempotencyKeyInvalid, IdempotencyKeyReused]
    return found


def add_problem(answers: Json, problem: type[Problem]) -> None:
    """List a problem among the answers of an operation."""
    status = str(problem.status)
    answer = answers.get(status)
    ours = response_of([problem])
    # FastAPI's own 422 has no place here; a route's own problems of the same status have.
    if answer is None or (PROBLEMS not in answer and MEDIA_TYPE not in answer.get("content", {})):
        answers[status] = ours
    elif PROBLEMS in answer:
        answer[PROBLEMS] = {**answer[PROBLEMS], **ours[PROBLEMS]}


def finish_problems(contract: Json) -> None:
    """Write the codes of every error answer out, with an example for each code in `components.examples`."""
    examples: dict[str, Json] = {}
    for item in contract["paths"].values():
        for answers, status in _answers(item):
            listed: Json | None = answers[status].pop(PROBLEMS, None)
            if listed is None:
                continue
            answer = answers[status] = copy.deepcopy(answers[status])
            content = answer.setdefault("content", {})
            # A route that also has errors of another shape says itself what its status means.
            if set(content) <= {MEDIA_TYPE}:
                answer["description"] = "; ".join(f"`{code}`: {listed[code]['means']}" for code in sorted(listed))
            refs = {}
            for code in sorted(listed):
                name = _component_name(code)
                refs[code] = {"$ref": _EXAMPLES + name}
                examples.setdefault(name, _example(code, int(status), listed[code]))
            content[MEDIA_TYPE] = {"schema": dict(PROBLEM_SCHEMA), "examples": refs}
            if headers := _HEADERS.get(status):
                answer["headers"] = {**answer.get("headers", {}), **copy.deepcopy(headers)}
    if examples:
        contract["components"]["examples"] = {name: examples[name] for name in sorted(examples)}


def _answers(item: Json) -> Iterator[tuple[Json, str]]:
    for operation in item.values():
        if isinstance(operation, dict) and "responses" in operation:
            yield from ((operation["responses"], status) for status in sorted(operation["responses"]))


def _with_parameters(example: Json) -> Json:
    """What an example has of its own. FastAPI drops nulls, and of a fault in a body `parameter` is null."""
    if "errors" not in example:
        return example
    return {**example, "errors": [{"parameter": None, **error} for error in example["errors"]]}


def _example(code: str, status: int, said: Json) -> Json:
    """The answer that carries this code, as a client meets it; the same in every service."""
    value = {
        "type": f"urn:trellis:problem:{code}",
        "title": said["title"],
        "status": status,
        "detail": f"{said['means']}.",
        **{name: (ProblemOut.model_fields[name].examples or [""])[0] for name in ("instance", "trace_id")},
        "code": code,
        "errors": [],
        **_with_parameters(said["example"]),
    }
    return {"summary": said["title"], "value": value}


def share_responses(contract: Json) -> None:
    """Error responses that several operations share are written once, if one problem gives them a name."""
    same: dict[str, list[tuple[Json, str]]] = {}
    for item in contract["paths"].values():
        for responses, status in _answers(item):
            answer = responses[status]
            if _codes(answer) and not set(answer) - {"description", "content", "headers"}:
                same.setdefault(json.dumps(answer, sort_keys=True), []).append((responses, status))
    shared: dict[str, Json] = {}
    for places in same.values():
        answer = places[0][0][places[0][1]]
        name = _shared_name(_codes(answer))
        if name and len(places) > 1 and shared.setdefault(name, answer) == answer:
            for responses, status in places:
                responses[status] = {"$ref": f"#/components/responses/{name}"}
    if shared:
        contract["components"]["responses"] = {name: shared[name] for name in sorted(shared)}


def _shared_name(same: list[str]) -> str | None:
    """Named after what is special about it: problems of the house that come along aren't; None without one name."""
    special = [code for code in same if code not in _COMPANIONS]
    names = special or same[-1:]
    return _component_name(names[0]) if len(names) == 1 else None


def _component_name(code: str) -> str:
    return re.sub(r"(?:^|-)(\w)", lambda match: match[1].upper(), code)


def _codes(answer: Json) -> list[str]:
    """The codes of an answer that is a problem and nothing else."""
    content = answer.get("content", {})
    return list(content[MEDIA_TYPE].get("examples", {})) if set(content) == {MEDIA_TYPE} else []
