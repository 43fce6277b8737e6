"""Every answer of every test is held against the contract: undeclared statuses, fields and headers are faults."""

import json
import re
from functools import cache
from pathlib import Path
from typing import Any

import httpx
import jsonschema_rs

from trellis.contracts import documents

OPENAPI = Path(__file__).resolve().parents[2] / "openapi"

# Answers of the framework's own doors, which are no part of a contract.
OUTSIDE = re.compile(r"^/(healthz|readyz|metrics|$|docs|openapi/|guides/|assets/|portal|\.well-known/)")


class ContractBroken(AssertionError):
    """A service answered something that its contract doesn't say."""


class ContractChecker:
    """The contract of one service, ready to hold answers against."""

    def __init__(self, contract: dict[str, Any]) -> None:
        """Read the paths of `contract`; literal paths win over those with parameters."""
        self._contract = contract
        self._paths = sorted(
            ((_pattern(path), path) for path in contract["paths"]), key=lambda one: (one[1].count("{"), one[1])
        )

    def check(self, request: httpx.Request, response: httpx.Response) -> None:
        """Raises ContractBroken unless the contract declares this answer."""
        method, path = request.method, request.url.path
        status, headers, body = response.status_code, response.headers, response.content
        template = next((one for pattern, one in self._paths if pattern.fullmatch(path)), None)
        if template is None:
            if status != 404 and not OUTSIDE.match(path):
                raise ContractBroken(f"{method} {path} answered {status}, but the contract has no such path")
            return
        item = self._contract["paths"][template]
        # HEAD answers as GET does, without a body.
        operation = item.get("get" if method == "HEAD" else method.lower())
        where = f"{method} {template}"
        if operation is None:
            if status not in (405, 200, 204):
                raise ContractBroken(f"{where} answered {status}, but the contract has no such method")
            return
        self._check_answer(where, method, operation, status, headers, body)

    def _check_answer(
        self, where: str, method: str, operation: dict[str, Any], status: int, headers: httpx.Headers, body: bytes
    ) -> None:
        declared = operation["responses"].get(str(status))
        if declared is None:
            raise ContractBroken(f"{where} answered {status}, which it doesn't declare: {body[:300]!r}")
        declared = self._resolve(declared)
        for name, header in declared.get("headers", {}).items():
            if self._resolve(header).get("required") and name.lower() not in headers:
                raise ContractBroken(f"{where} answered {status} without the header {name}")
        if method == "HEAD":
            return
        contents = declared.get("content")
        if not contents:
            if body:
                raise ContractBroken(f"{where} answered {status} with a body that it doesn't declare")
            return
        media_type = headers.get("content-type", "").partition(";")[0].strip()
        if media_type not in contents:
            raise ContractBroken(f"{where} answered {status} as {media_type!r}, declared are {sorted(contents)}")
        if media_type.endswith("json"):
            self._check_body(where, status, contents[media_type].get("schema", {}), body)
        if media_type == "application/problem+json":
            self._check_code(where, status, contents[media_type]["examples"], json.loads(body))

    def _check_code(self, where: str, status: int, examples: dict[str, Any], problem: dict[str, Any]) -> None:
        """An operation shows an example for every code that it can answer."""
        if status == 422 and not problem["errors"]:
            raise ContractBroken(f"{where} answered 422 {problem['code']} and names no fault")
        if unlisted := {error["code"] for error in problem["errors"]} - set(self._contract["x-error-codes"]):
            raise ContractBroken(f"{where} answered {status} with errors of codes that aren't listed: {unlisted}")
        if problem["code"] not in examples:
            raise ContractBroken(
                f"{where} answered {status} with the code {problem['code']}, it shows {', '.join(examples)}"
            )

    def _check_body(self, where: str, status: int, schema: dict[str, Any], body: bytes) -> None:
        key = json.dumps(schema, sort_keys=True)
        flaws = [
            f"{error.instance_path}: {error.message}" for error in self._validator(key).iter_errors(json.loads(body))
        ]
        if flaws:
            raise ContractBroken(f"{where} answered {status} against its schema: {'; '.join(flaws[:5])}")

    @cache  # noqa: B019 - one checker a service lives as long as the test run
    def _validator(self, key: str) -> Any:
        root = {**json.loads(key), "components": self._contract.get("components", {})}
        return jsonschema_rs.validator_for(root, validate_formats=True)

    def _resolve(self, node: dict[str, Any]) -> dict[str, Any]:
        while "$ref" in node:
            target: Any = self._contract
            for part in node["$ref"].removeprefix("#/").split("/"):
                target = target[part.replace("~1", "/").replace("~0", "~")]
            node = target
        return node


class Revalidation:
    """A 304 says what the whole answer with this tag said: a reader puts its headers in place of those of its copy."""

    ABOUT_THE_BODY = frozenset({"content-encoding", "content-length", "content-range", "content-type"})
    OF_ONE_REQUEST = frozenset({"date", "x-request-id"})

    def __init__(self) -> None:
        self._whole: dict[tuple[str, str, str], dict[str, str]] = {}

    def check(self, request: httpx.Request, response: httpx.Response) -> None:
        """Note a whole answer; raises ContractBroken for a 304 with other headers than the one before it."""
        is_read = request.method in {"GET", "HEAD"}
        if not is_read or response.status_code not in {200, 304} or "etag" not in response.headers:
            return
        address = (str(request.url), request.headers.get("authorization", ""), response.headers["etag"])
        if response.status_code == 200:
            self._whole[address] = dict(response.headers)
        elif (whole := self._whole.get(address)) is not None:
            left_out = self.ABOUT_THE_BODY | self.OF_ONE_REQUEST
            due = {name: value for name, value in whole.items() if name not in left_out}
            given = {name: value for name, value in response.headers.items() if name not in self.OF_ONE_REQUEST}
            if given != due:
                raise ContractBroken(f"{request.method} {request.url.path}: its 304 says {given}, its 200 said {due}")


def _pattern(template: str) -> re.Pattern[str]:
    parts = re.split(r"\{[^}]+\}", template)
    return re.compile("[^/]+".join(re.escape(part) for part in parts))


@cache
def contract(service: str) -> ContractChecker | None:
    """The checker of a service's committed contract; None before its first one is committed."""
    file = OPENAPI / f"{service}.v1.json"
    return ContractChecker(json.loads(file.read_text(encoding="utf-8"))) if file.is_file() else None


def made(service: str) -> documents.Contract:
    """The contract as the app states it now: a copy of what is made once in each process."""
    return _copy(_made(service))


def all_made() -> dict[str, documents.Contract]:
    """Every contract by name, the bundle (`trellis`) among them; copies as well."""
    return {**{service: made(service) for service in documents.APPS}, "trellis": _copy(_bundle())}


@cache
def _made(service: str) -> str:
    return json.dumps(documents.made(service))


@cache
def _bundle() -> str:
    return json.dumps(documents.bundled({service: made(service) for service in documents.APPS}))


def _copy(text: str) -> documents.Contract:
    contract: documents.Contract = json.loads(text)
    return contract
