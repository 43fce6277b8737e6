"""Fields that many bodies share."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Words = Annotated[str, Field(min_length=1, max_length=10_000, pattern=r"^[^\x00]*[^\s\x00][^\x00]*$")]
"""Something that a person wrote: not only white space."""

Title = Annotated[str, Field(min_length=1, max_length=120, pattern=r"^[^\x00-\x1f]*[^\s\x00-\x1f][^\x00-\x1f]*$")]
"""A short title on one line; events may carry it."""

HttpsUrl = Annotated[
    str,
    Field(
        min_length=10,
        max_length=2000,
        pattern=r"^https://[A-Za-z0-9](?:[A-Za-z0-9.\-]*[A-Za-z0-9])?(?::[0-9]{1,5})?(?:[/?#][!-~]*)?$",
    ),
]
"""An address in plain ASCII; nothing is fetched from it."""


class ReasonGiven(BaseModel):
    """The body of a change that may say why."""

    model_config = ConfigDict(extra="forbid")

    reason: Words | None = Field(
        default=None,
        description="Why. Name no pupil and no member of staff.",
        examples=["The results were corrected."],
    )
