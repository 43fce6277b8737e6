"""The states of posts, and who may move them."""

from academy.posts.events import CHANGED, CREATED, RESTORED, RETIRED, PostFacts
from academy.posts.tables import Post
from kit.resources.transitions import States, Transition

WRITERS = ("chief-executive", "trust-admin")

POSTS: States[Post] = States(
    "post",
    path="posts",
    initial="active",
    facts=PostFacts.of,
    transitions=(
        Transition("create", (), "active", "Create", by=WRITERS, event=CREATED),
        Transition("change", ("active",), "active", "Change", by=WRITERS, event=CHANGED),
        Transition("retire", ("active",), "retired", "Retire", by=WRITERS, event=RETIRED),
        Transition("restore", ("retired",), "active", "Restore", by=WRITERS, needs_reason=True, event=RESTORED),
    ),
)
