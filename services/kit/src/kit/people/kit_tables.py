"""What the kit's own tables hold of people. A service's `personal.py` imports those of the tables that it has."""

from typing import Final

from kit.people.declared import OnErasure, PersonalTable

DECISIONS: Final = "A trust must be able to say who decided what, and in which order."

EVENTS: Final = PersonalTable(
    "event",
    holds="Who caused an event of the change feed (`by`), and events about the person.",
    purpose=DECISIONS,
    kept="For good: readers of the feed build their own data from it.",
    mentions=("subject",),
    documents=("data",),
)
IDEMPOTENCY_KEYS: Final = PersonalTable(
    "idempotency_key",
    holds="Whose request it was that must not be carried out twice. The kept answer is sealed where it is personal.",
    purpose="A request that is repeated after a failure must have one effect.",
    kept="At most two days.",
    mentions=("client",),
    hidden=("fingerprint", "headers", "body"),
    on_erasure=OnErasure.DELETED,
)
STATE_CHANGES: Final = PersonalTable(
    "state_change",
    holds="Who moved something from one state to another, with the reason that they gave.",
    purpose=DECISIONS,
    kept="For good.",
    subjects=("by",),
)
STORED_FILES: Final = PersonalTable(
    "stored_file",
    holds="Who sent a file, and what they called it.",
    purpose="Who decides on evidence must know where it comes from.",
    kept="As long as what the file belongs to.",
    subjects=("created_by",),
)
SHARED_LINKS: Final = PersonalTable(
    "shared_link",
    holds="Who made a link that works without signing in, with the roles that they had, and who ended it.",
    purpose="A link shows what its maker may see, and ends with the maker's right.",
    kept="For good; the link itself works for 400 days at most, and ends when its maker is erased.",
    subjects=("created_by", "ended_by"),
    hidden=("token_sha256",),
)
GRANTS_SEEN: Final = PersonalTable(
    "identity_grant",
    holds="Which roles the person has and had, by their id; a copy of what identity's feed says.",
    purpose="What hangs on a right must end with it.",
    kept="As long as identity's feed, from which it is made again. It holds no name.",
    subjects=("holder",),
    on_erasure=OnErasure.KEPT,
)
HOLDERS_SEEN: Final = PersonalTable(
    "identity_holder",
    holds="Whether the person may sign in, by their id; a copy of what identity's feed says.",
    purpose="What hangs on a right must end with it.",
    kept="As long as identity's feed, from which it is made again. It holds no name.",
    subjects=("holder",),
    on_erasure=OnErasure.KEPT,
)
