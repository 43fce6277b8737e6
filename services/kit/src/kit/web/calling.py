"""Calls to other services from a route: with the token of the caller whose request is served."""

from typing import Annotated

from fastapi import Depends, Request

from kit.calls.client import CallsOfCaller
from kit.web.security import CallerDep
from kit.web.tools import tools_of

_TRACE = ("traceparent", "tracestate")


def _calls_of_request(request: Request, caller: CallerDep) -> CallsOfCaller:
    calls = tools_of(request).calls
    passed_on = {name: value for name in _TRACE if (value := request.headers.get(name)) is not None}
    return calls.of_caller(request.headers["authorization"], caller, passed_on)


CallsDep = Annotated[CallsOfCaller, Depends(_calls_of_request)]
"""Calls with the caller's own token: `async def board_view(calls: CallsDep, ...)`."""
