"""How a criteria set moves from draft to published to retired."""

from academy.criteria.errors import CriteriaAlreadyPublished
from academy.criteria.tables import CriteriaSet
from kit.problems import InsufficientScope
from kit.resources.transitions import Refusals, States, Transition

PUBLISHERS = ("chief-executive", "improvement-adviser", "improvement-lead")
DRAFTERS = (*PUBLISHERS, "data-manager")

CRITERIA_SETS: States[CriteriaSet] = States(
    "criteria-set",
    initial="draft",
    transitions=(
        Transition("change", ("draft",), "draft", "Change", by=DRAFTERS),
        Transition("publish", ("draft",), "published", "Publish", by=PUBLISHERS),
        Transition("retire", ("published",), "retired", "End when another takes its place"),
    ),
    # Roles get the scopes, so that a token with the scope and without the role is one that nobody gives out.
    refusals=Refusals(state=CriteriaAlreadyPublished, role=InsufficientScope),
)
