"""What would change, as clients read it."""

from collections.abc import Sequence
from typing import Self
from uuid import UUID

from pydantic import BaseModel, Field

from academy.academies.schemas import Phase
from academy.criteria.rules import Status
from academy.moderations.schemas import StepOut
from academy.ratings.computing import NOT_ASSESSED_LABEL, Computed
from academy.ratings.schemas import CriterionResultOut, RatingOut
from sector.parameters import Urn


class PreviewStatusOut(BaseModel):
    """A computed status."""

    status: Status = Field(description="The canonical status.", examples=["green"])
    label: str = Field(description="The trust's own word for it.", examples=["Green"])
    step: StepOut | None = Field(description="The step of the set's own scale; null when not assessed.")
    why: str = Field(description="How the criteria become it.", examples=["70% of the points; green begins at 66%."])

    @classmethod
    def now(cls, rating: RatingOut) -> Self:
        """What a rating says."""
        return cls(status=rating.status, label=rating.label, step=rating.step, why=rating.overall.why)

    @classmethod
    def then(cls, computed: Computed) -> Self:
        """What a rating would say."""
        step = StepOut(**computed.step) if computed.step else None
        label = step.label if step else NOT_ASSESSED_LABEL
        return cls(status=computed.outcome.status, label=label, step=step, why=computed.why)


class PreviewResultOut(BaseModel):
    """One criterion's result."""

    status: Status = Field(description="The canonical status.", examples=["green"])
    step: StepOut | None = Field(description="The step of the set's own scale; null when not assessed.")
    sentence: str = Field(description="Why, in one plain sentence.", examples=["Progress 8 was +0.17 in 2018/19: ..."])

    @classmethod
    def of(cls, criterion: CriterionResultOut | None) -> Self | None:
        """The part of a result that is compared."""
        if criterion is None:
            return None
        return cls(status=criterion.status, step=criterion.step, sentence=criterion.sentence)


class PreviewCriterionOut(BaseModel):
    """One criterion, now and as it would be."""

    code: str = Field(description="Names the criterion inside its set.", examples=["progress_8"])
    title: str = Field(description="The question.", examples=["Progress 8"])
    before: PreviewResultOut | None = Field(description="As it is now; null for a criterion that is new.")
    after: PreviewResultOut | None = Field(
        description="The result under the new set; null for a criterion that is removed."
    )

    @classmethod
    def side_by_side(cls, before: Sequence[CriterionResultOut], after: Sequence[CriterionResultOut]) -> list[Self]:
        """Every criterion of both sets by its code, those of the new one first."""
        old, new = ({criterion.code: criterion for criterion in one} for one in (before, after))
        return [
            cls(
                code=code,
                title=(new.get(code) or old[code]).title,
                before=PreviewResultOut.of(old.get(code)),
                after=PreviewResultOut.of(new.get(code)),
            )
            for code in [*new, *(code for code in old if code not in new)]
        ]


class PreviewAcademyOut(BaseModel):
    """One academy that would change colour, or move to another step of the same status."""

    urn: Urn = Field(description="The academy.", examples=[135874])
    name: str = Field(description="Its name.", examples=["Manchester Enterprise Academy"])
    phase: Phase = Field(description="Its phase.", examples=["secondary"])
    rating_id: UUID | None = Field(description="Its rating now; null when there is none.")
    before: PreviewStatusOut | None = Field(description="What is computed now; null when nothing is.")
    after: PreviewStatusOut = Field(description="What would be computed.")
    criteria: list[PreviewCriterionOut] = Field(description="Every criterion of both, those of the new set first.")

    @classmethod
    def of(cls, name: str, before: RatingOut | None, after: Computed) -> Self:
        """An academy with what it has and what it would have."""
        results = [CriterionResultOut.model_validate(criterion) for criterion in after.criteria]
        return cls(
            urn=after.urn,
            name=name,
            phase=Phase(after.phase),
            rating_id=before.id if before else None,
            before=PreviewStatusOut.now(before) if before else None,
            after=PreviewStatusOut.then(after),
            criteria=PreviewCriterionOut.side_by_side(before.criteria if before else [], results),
        )


class PreviewOut(BaseModel):
    """Which academies would change colour, and why. Nothing was written."""

    academies: int = Field(description="Academies that the set would rate.", examples=[4])
    unchanged: int = Field(description="Those of them that would keep their status and step.", examples=[3])
    items: list[PreviewAcademyOut] = Field(description="Those that would change, by name.")
