"""Identity's tools, as its routes ask for them."""

from typing import Annotated

from fastapi import Depends, Request

from gateway.identity.equipment import Equipment


async def equipment_of(request: Request) -> Equipment:
    """The tools of the app that answers this request."""
    equipment: Equipment = request.app.state.equipment
    return equipment


EquipmentDep = Annotated[Equipment, Depends(equipment_of)]
