"""What can go wrong with criteria sets."""

from collections.abc import Iterable

from academy.codes import Code
from academy.criteria.flaws import Flaw
from kit.problems import Conflict, FieldError, InvalidRequest, NotFound
from kit.resources.transitions import TransitionNotAllowed


class CriteriaSetNotFound(NotFound):
    """The trust has no criteria set with this id."""


class CriteriaSetNotSound(InvalidRequest):
    """The rules contradict themselves or the measures catalogue; `errors` names every flaw."""


class ComparisonNotSupported(InvalidRequest):
    """A criterion compares with something that isn't computed yet; `errors` names every flaw."""


class CriteriaAlreadyPublished(TransitionNotAllowed):
    """The set is published and can't be changed; create a new draft."""


class CriteriaPublishedMeanwhile(Conflict):
    """Another set of the phase was published at the same time."""


def unsound(flaws: Iterable[Flaw]) -> InvalidRequest:
    """The problem that names all these flaws."""
    errors = [FieldError(pointer=flaw.pointer, code=flaw.code, detail=flaw.detail) for flaw in flaws]
    if any(error.code == Code.COMPARISON_NOT_SUPPORTED for error in errors):
        return ComparisonNotSupported(
            "Only fixed, national and previous comparisons are computed so far.", errors=errors
        )
    return CriteriaSetNotSound("The rules can't be applied as they are.", errors=errors)
