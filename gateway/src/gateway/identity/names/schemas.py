"""Names on the wire."""

from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Subject = Annotated[str, Field(min_length=1, max_length=100, pattern=r"^[^\x00-\x1f\x7f]+$")]


class NameKind(StrEnum):
    """What a subject is."""

    PERSON = "person"
    CLIENT = "client"


class NameParams(BaseModel):
    """Whose names."""

    model_config = ConfigDict(extra="forbid")

    subject: Annotated[
        tuple[Subject, ...],
        Field(
            min_length=1,
            max_length=50,
            description="Subjects as answers and events show them (`by`, `made_by`, `holders`, ...); repeat it.",
            examples=[["person:0193e2f1-8a39-7a7e-8b2e-5c7e0d8f9a10"]],
        ),
    ]


class NameOut(BaseModel):
    """The name of one subject."""

    subject: str = Field(description="As it was sent.", examples=["person:0193e2f1-8a39-7a7e-8b2e-5c7e0d8f9a10"])
    kind: NameKind = Field(description="A person or a client.", examples=["person"])
    name: str = Field(description="The person's `display_name`, or the client's `name`.", examples=["A. Nutt"])


class NamesOut(BaseModel):
    """The names that were found. A subject without one is left out: show its role in place of a name."""

    items: list[NameOut] = Field(description="By subject.")
