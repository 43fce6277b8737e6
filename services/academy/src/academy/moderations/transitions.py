"""How an override ends."""

from academy.moderations.errors import LeadsThisAcademy, ModerationEnded
from academy.moderations.tables import Moderation
from academy.parameters import today
from kit.resources.transitions import Refusals, States, Transition, others

MODERATORS = (others("chief-executive"), others("improvement-adviser"), others("improvement-lead"))

MODERATIONS: States[Moderation] = States(
    "moderation",
    initial="in_force",
    transitions=(
        Transition("withdraw", ("in_force",), "withdrawn", "Withdraw", by=MODERATORS),
        Transition("lapse", ("in_force",), "lapsed", "End after its last day"),
        Transition("replace", ("in_force",), "replaced", "End when another takes its place"),
        Transition("leave", ("in_force",), "left", "End when the academy leaves the trust"),
    ),
    state_of=lambda moderation: moderation.state_on(today()),
    refusals=Refusals(state=ModerationEnded, role=LeadsThisAcademy),
)
