"""Talking to Trellis as any client does: through the gateway, with a token."""

import ssl
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx

RENEW_SECONDS = 60
PATIENT = httpx.Timeout(60.0, connect=5.0)
BUSY = frozenset({429, 502, 503, 504})
TRIES = 6


class Unreachable(Exception):
    """Nobody answers where the gateway should be."""


class Refused(Exception):
    """The gateway or a service said no; the message is what it said."""

    def __init__(self, status: int, code: str, detail: str, errors: Sequence[Mapping[str, Any]] = ()) -> None:
        self.status = status
        self.code = code
        self.errors = errors
        super().__init__(detail)

    @classmethod
    def by(cls, response: httpx.Response) -> "Refused":
        """What a response says, problem+json or not."""
        try:
            problem = response.json()
        except ValueError:
            problem = None
        if not isinstance(problem, dict):
            return cls(response.status_code, "", f"{response.status_code} {response.reason_phrase}")
        errors = [error for error in problem.get("errors") or [] if isinstance(error, dict)]
        # The token endpoint answers in its own standard's words (RFC 6749).
        members = ("detail", "error_description", "title", "error")
        detail = next((str(problem[name]) for name in members if problem.get(name)), str(response.status_code))
        told = "".join(
            f"\n  {error.get('pointer') or error.get('parameter') or '-'}: {error.get('detail', '')}"
            for error in errors[:20]
        )
        return cls(response.status_code, str(problem.get("code", "")), f"{detail}{told}", errors)


@dataclass(frozen=True, slots=True)
class Token:
    """An access token, and when it must no longer be used."""

    value: str
    good_until: float


Fetch = Callable[[httpx.Client], Token]


class Api:
    """A client of the gateway; it gets a new token when the one that it has runs out."""

    def __init__(self, url: str, fetch: Fetch | None = None, *, certificate: Path | None = None) -> None:
        """`certificate` is the gateway's own, which is then the only one that counts, whatever name it is for."""
        self._http = httpx.Client(
            base_url=url,
            timeout=PATIENT,
            follow_redirects=False,
            # On this machine no proxy stands between us and the gateway.
            trust_env=False,
            verify=_only(certificate) if certificate else True,
        )
        self._fetch = fetch
        self._token: Token | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._http.close()

    def token(self) -> str:
        """A token that is good for a while yet."""
        if self._fetch is None:
            raise LookupError("this client was made without a way to get tokens")
        if self._token is None or time.monotonic() > self._token.good_until - RENEW_SECONDS:
            try:
                self._token = self._fetch(self._http)
            except httpx.TransportError as problem:
                raise Unreachable(self._silence(problem)) from problem
        return self._token.value

    def _silence(self, problem: httpx.TransportError) -> str:
        return f"{self._http.base_url} does not answer ({problem}). Does it run? `trellis status` says."

    def get(self, path: str, **parameters: Any) -> dict[str, Any]:
        """The JSON object at a path. Raises Refused and Unreachable."""
        given = {name: value for name, value in parameters.items() if value is not None}
        return self.ask("GET", path, params=given)[0]

    def items(self, path: str, **parameters: Any) -> Iterator[dict[str, Any]]:
        """All items of a list, page by page."""
        cursor: str | None = None
        while True:
            page = self.get(path, cursor=cursor, **parameters)
            yield from page["items"]
            cursor = page["next"]
            if cursor is None:
                return

    def ask(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, Any] | None = None,
        json: object = None,
        content: Callable[[], Iterable[bytes]] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> tuple[dict[str, Any], httpx.Headers]:
        """What is answered, and its headers. Waits and tries again when the other side is busy.

        `content` is called for each try, since a stream can be sent only once. Raises Refused and Unreachable.
        """
        pause = 0.5
        attempt = 0
        while True:
            attempt += 1
            sent = {**(headers or {})}
            if self._fetch is not None:
                sent["Authorization"] = f"Bearer {self.token()}"
            body: dict[str, Any] = {"json": json} if json is not None else {}
            if content is not None:
                body = {"content": content()}
            try:
                response = self._http.request(method, path, params=params, headers=sent, **body)
            except httpx.TransportError as problem:
                raise Unreachable(self._silence(problem)) from problem
            if response.is_success:
                return (response.json() if response.content else {}), response.headers
            # Something that changes is sent again only under a key, which makes it happen once.
            may_repeat = method == "GET" or "Idempotency-Key" in sent
            if response.status_code not in BUSY or not may_repeat or attempt == TRIES:
                raise Refused.by(response)
            time.sleep(_pause(response, pause))
            pause = min(pause * 2, 8.0)


def _only(certificate: Path) -> ssl.SSLContext:
    """Trust in one certificate: the gateway is asked at an address that its certificate needn't name."""
    context = ssl.create_default_context(cafile=str(certificate))
    context.check_hostname = False
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    return context


def _pause(response: httpx.Response, otherwise: float) -> float:
    """How long the other side asks to be left alone, within reason."""
    try:
        return min(float(response.headers.get("Retry-After", otherwise)), 30.0)
    except ValueError:
        return otherwise
