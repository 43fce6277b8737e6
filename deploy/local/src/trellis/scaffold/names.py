"""The names of a slice, in every spelling that its files use."""

import re
from dataclasses import dataclass

SERVICES = ("academy", "research", "reporting")
_NAME = re.compile(r"^[a-z]+(_[a-z]+)*$")


class NameNotUsable(ValueError):
    """No slice can be called this."""


@dataclass(frozen=True, slots=True)
class Names:
    """A slice: its service, its plural (folder, `mis_batches`) and its singular (table, `mis_batch`)."""

    service: str
    things: str
    thing: str

    @property
    def things_words(self) -> str:
        """In a sentence: `mis batches`."""
        return self.things.replace("_", " ")

    def values(self) -> dict[str, object]:
        """What the templates are filled in with."""
        return {
            "service": self.service,
            "things": self.things,
            "thing": self.thing,
            "things_dashed": self.things.replace("_", "-"),
            "thing_dashed": self.thing.replace("_", "-"),
            "things_words": self.things_words,
            "words": self.thing.replace("_", " "),
            "Things": self.things_words.capitalize(),
            "Thing": "".join(part.capitalize() for part in self.thing.split("_")),
            "THINGS": self.things.upper(),
            # Things of the academy service concern an academy; those of the others the whole trust.
            "urn": self.service == "academy",
        }


def names_of(service: str, things: str, thing: str | None = None) -> Names:
    """The names of a slice. Raises NameNotUsable."""
    if service not in SERVICES:
        raise NameNotUsable(f"There is no service {service!r}; there are {', '.join(SERVICES)}.")
    things = things.replace("-", "_")
    thing = (thing or _singular(things)).replace("-", "_")
    for name in (things, thing):
        if not _NAME.match(name) or len(name) > 40:
            raise NameNotUsable(f"{name!r} is no name: use small letters and single underscores, at most 40.")
    if things == thing:
        raise NameNotUsable(f"{things!r} is its own singular? Say one=...")
    return Names(service, things, thing)


def _singular(things: str) -> str:
    """The usual singular: `visits` gives `visit`, `categories` `category`, `batches` `batch`, `focuses` `focus`."""
    for ending, instead in (("ies", "y"), ("ches", "ch"), ("shes", "sh"), ("sses", "ss"), ("uses", "us"), ("xes", "x")):
        if things.endswith(ending):
            return things.removesuffix(ending) + instead
    return things.removesuffix("s")
