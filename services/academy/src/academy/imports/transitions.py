"""The states of imports, and who may move them."""

from academy.imports.errors import ImportNotWithdrawable
from academy.imports.rules import REGISTER_KINDS, SENDERS
from academy.imports.tables import Import
from kit.identity.callers import Caller
from kit.problems import Problem
from kit.resources.transitions import States, Transition


def keeps_figures(thing: Import, caller: Caller) -> Problem | None:  # noqa: ARG001 - as every guard takes it
    """Files of the register and trials can't be taken back."""
    if thing.dry_run:
        return ImportNotWithdrawable("This was a trial: it kept nothing, so there is nothing to take back.")
    if thing.kind in REGISTER_KINDS:
        return ImportNotWithdrawable(
            f"A file of the register ({thing.kind}) can't be taken back: it replaced what earlier files stated. "
            "Load the newest file of this kind instead: what it states takes the place of this one. A wrong membership "
            "of gias-group-links is cancelled by its row with Membership status Cancelled."
        )
    return None


IMPORTS: States[Import] = States(
    "import",
    initial="queued",
    transitions=(
        Transition("start", ("queued", "running"), "running", "Begin to read the file"),
        Transition("succeed", ("running",), "succeeded", "Apply the file"),
        Transition("fail", ("running",), "failed", "Reject the file"),
        Transition("cancel", ("queued", "running"), "cancelled", "Cancel", by=SENDERS),
        Transition(
            "withdraw",
            ("succeeded", "withdrawing", "not_withdrawn"),
            "withdrawing",
            "Take back",
            by=SENDERS,
            needs_reason=True,
            guards=(keeps_figures,),
        ),
        Transition("finish", ("withdrawing",), "withdrawn", "Take its figures back"),
        Transition("give_up", ("withdrawing",), "not_withdrawn", "Leave its figures after all tries have failed"),
    ),
)
"""`withdraw` may be repeated while it is withdrawing, and after all tries have failed: that queues the work again."""
