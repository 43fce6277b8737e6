"""What a service follows, found by name in its slices (`kit.definition`), beside what every service follows."""

from kit.definition import ServiceDefinition
from kit.events.followers import Followed, SideEffects
from kit.events.holders import GRANTS, OnHolderEnded, ends_of_holders
from kit.events.read_models import ReadModel
from kit.key_ring import KeyRing
from kit.people.erasing import erasing


def followed_by(definition: ServiceDefinition, ring: KeyRing) -> tuple[Followed, ...]:
    """Identity's grants, clients and people; then every read model and side effect in a slice's `followers.py`.

    A function `on_holder_ended` in such a file is called when a right ends. After all of them the service erases what
    it holds of a person who was erased: what hangs on a right is found by the person, so it must have ended before.
    """
    hooks: list[OnHolderEnded] = [*definition.named("followers", "on_holder_ended")]
    if definition.personal_tables:
        tables, announced = definition.personal_tables, definition.person_data_erased
        hooks.append(erasing(definition.name, tables, announced, ring))
    return _followed(definition, ends_of_holders(hooks))


def read_models_of(definition: ServiceDefinition) -> tuple[ReadModel, ...]:
    """Those that can be rebuilt."""
    return tuple(one for one in _followed(definition) if isinstance(one, ReadModel))


def _followed(definition: ServiceDefinition, *ends: SideEffects) -> tuple[Followed, ...]:
    every: list[Followed] = [GRANTS, *ends]
    found = {one.place: one for one in every}
    own: list[Followed] = [*definition.found("followers", ReadModel), *definition.found("followers", SideEffects)]
    for one in own:
        if found.setdefault(one.place, one) is not one:
            raise ValueError(f"two followers are called {one.place}")
    return tuple(found.values())
