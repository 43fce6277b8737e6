"""What may be called: one value per operation of another service, declared at module level.

`openapi/calls.toml` lists the same calls with a reason each; a test compares both, and each call with the callee's
contract.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Generic, Literal, TypeVar
from urllib.parse import quote

from pydantic import BaseModel, ConfigDict, Field

Answer = TypeVar("Answer", bound=BaseModel)

SAFE: Final = frozenset({"GET"})
"""The methods that change nothing, and so may be tried again."""

_PARAMETER = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True, slots=True)
class Call(Generic[Answer]):
    """One operation of another service, and the model that its answer is read into.

    The model has the fields that the caller reads and no others; the answer may hold more.
    """

    callee: str
    operation: str
    answer: type[Answer]
    path: str
    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE"] = "GET"

    @property
    def is_safe(self) -> bool:
        """Whether it changes nothing."""
        return self.method in SAFE

    def url(self, values: Mapping[str, object]) -> str:
        """The path with its parameters filled in. Raises ValueError when one is missing, empty or unknown."""
        names = _PARAMETER.findall(self.path)
        if set(names) != set(values):
            raise ValueError(f"{self.callee} {self.operation} takes {sorted(names)}, not {sorted(values)}")
        if empty := [name for name in names if str(values[name]) in {"", ".", ".."}]:
            raise ValueError(f"{self.callee} {self.operation}: {empty[0]} can't be {values[empty[0]]!r}")
        return _PARAMETER.sub(lambda found: quote(str(values[found[1]]), safe=""), self.path)


class KeySet(BaseModel):
    """Public keys, as far as a caller of the kit reads them."""

    keys: list[dict[str, object]]


class TokenAnswer(BaseModel):
    """A token of the service's own."""

    model_config = ConfigDict(hide_input_in_errors=True)

    access_token: str = Field(repr=False)
    expires_in: int


KEY_SET = Call("identity", "key_set_view", KeySet, "/.well-known/jwks.json")
"""Every service checks signatures itself (`kit.identity.keys`)."""

TOKEN = Call("identity", "token_issue", TokenAnswer, "/identity/v1/token", "POST")
"""In a job a service asks for a token of its own (`kit.calls.tokens`)."""
