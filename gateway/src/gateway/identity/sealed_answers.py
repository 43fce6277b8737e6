"""Answers that carry a secret, kept for repeated requests as every other answer, yet unreadable.

A repeated `POST` with the same `Idempotency-Key` gets the first answer again, secret and all. What lies in the
database meanwhile is encrypted: a stolen backup must not hold the secrets of the last two days.
"""

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute

from gateway.identity.equipping import equipment_of
from gateway.identity.sealing import SealBroken
from kit.problems import Conflict
from kit.web.idempotency import HEADER, IdempotentRoute


class AnswerUnreadable(Conflict):
    """The answer to the first request with this key can't be read any more."""


Handler = Callable[[Request], Coroutine[Any, Any, Response]]


def _with_body(response: Response, body: bytes) -> Response:
    changed = Response(body, status_code=response.status_code)
    kept = [(name, value) for name, value in response.raw_headers if name != b"content-length"]
    changed.raw_headers = [*kept, (b"content-length", str(len(body)).encode())]
    changed.background = response.background
    return changed


def _name(request: Request) -> str:
    return f"{request.url.path} {request.headers[HEADER]}"


def _is_kept(request: Request, response: Response) -> bool:
    return HEADER in request.headers and response.status_code < 300


class _Closing(APIRoute):
    """Seals the answer before it is kept."""

    def get_route_handler(self) -> Handler:
        handle = super().get_route_handler()

        async def handle_and_close(request: Request) -> Response:
            response = await handle(request)
            if not _is_kept(request, response):
                return response
            seal = equipment_of(request).answer_seal
            return _with_body(response, seal.close(_name(request), bytes(response.body)))

        return handle_and_close


class SealedAnswerRoute(IdempotentRoute, _Closing):
    """The `route_class` of operations that answer with a secret: opens what was kept before it is sent."""

    def get_route_handler(self) -> Handler:
        """The handler, with the kept answer opened."""
        handle = super().get_route_handler()

        async def handle_and_open(request: Request) -> Response:
            response = await handle(request)
            if not _is_kept(request, response):
                return response
            seal = equipment_of(request).answer_seal
            try:
                return _with_body(response, seal.open(_name(request), bytes(response.body)))
            except SealBroken:
                raise AnswerUnreadable("TRELLIS_SECRET_KEY was changed since. Use a new key.") from None

        return handle_and_open
