"""What a service follows, found by name in its slices (`kit.definition`), beside what every service follows."""

from kit.definition import ServiceDefinition
from kit.events.followers import Followed, SideEffects
from kit.events.holders import GRANTS, ends_of_holders
from kit.events.progress import Place
from kit.events.read_models import ReadModel


def followed_by(definition: ServiceDefinition) -> tuple[Followed, ...]:
    """Identity's grants, clients and people; then every read model and side effect in a slice's `followers.py`.

    A function `on_holder_ended` in such a file is called when a right ends.
    """
    found: dict[Place, Followed] = {GRANTS.place: GRANTS}
    ends = ends_of_holders(definition.named("followers", "on_holder_ended"))
    found[ends.place] = ends
    own: list[Followed] = [*definition.found("followers", ReadModel), *definition.found("followers", SideEffects)]
    for one in own:
        if found.setdefault(one.place, one) is not one:
            raise ValueError(f"two followers are called {one.place}")
    return tuple(found.values())


def read_models_of(definition: ServiceDefinition) -> tuple[ReadModel, ...]:
    """Those that can be rebuilt."""
    return tuple(one for one in followed_by(definition) if isinstance(one, ReadModel))
