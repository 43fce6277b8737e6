"""How far an operation reaches, and whether a grant for some academies is enough for it.

A route declares what it acts on: `requires("ratings:moderate", acts_on=ActsOn.ACADEMIES)`. One that writes and declares
nothing acts on the whole trust. The database's policies say the same once more (`kit.schema.access`).
"""

from enum import StrEnum

from kit.identity.callers import Caller
from kit.problems import WholeTrustOnly


class ActsOn(StrEnum):
    """What an operation changes, and so which grants are enough for it.

    - `whole_trust`: what concerns the whole trust; a grant for all of it.
    - `academies`: what belongs to academies; a grant that covers these.
    - `academy_or_trust`: what belongs to one academy or to the whole trust; for the latter a grant for all of it.
    - `own`: what the caller itself made.
    - `nothing`: it answers and stores nothing.
    """

    WHOLE_TRUST = "whole_trust"
    ACADEMIES = "academies"
    ACADEMY_OR_TRUST = "academy_or_trust"
    OWN = "own"
    NOTHING = "nothing"


def check_whole_trust(caller: Caller) -> None:
    """Raises WholeTrustOnly for a caller whose grant covers some academies or a project."""
    if caller.academies is not None:
        raise WholeTrustOnly("This concerns the whole trust, and your grant covers a part of it.")


def check_reach(caller: Caller, acts_on: ActsOn | None) -> None:
    """Whether the caller's grant reaches as far as the operation. Raises WholeTrustOnly."""
    if acts_on is ActsOn.WHOLE_TRUST:
        check_whole_trust(caller)
