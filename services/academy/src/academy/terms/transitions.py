"""The states of terms, and who may move them."""

from academy.terms.events import CHANGED, CREATED, RESTORED, RETIRED, TermFacts
from academy.terms.tables import Term
from kit.resources.transitions import States, Transition, own

WRITERS = ("chief-executive", "data-manager", "trust-admin", own("headteacher"), own("executive-headteacher"))

TERMS: States[Term] = States(
    "term",
    path="terms",
    initial="active",
    facts=TermFacts.of,
    transitions=(
        Transition("create", (), "active", "Set dates", by=WRITERS, event=CREATED),
        Transition("change", ("active",), "active", "Change", by=WRITERS, event=CHANGED),
        Transition("retire", ("active",), "retired", "Retire", by=WRITERS, event=RETIRED),
        Transition(
            "restore",
            ("retired",),
            "active",
            "Let it count again",
            by=WRITERS,
            needs_reason=True,
            event=RESTORED,
        ),
    ),
)
