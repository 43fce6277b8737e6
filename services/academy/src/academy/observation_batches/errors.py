"""What can go wrong with a batch of figures."""

from collections.abc import Mapping
from typing import Any, ClassVar

from kit.problems import InvalidRequest


class ObservationsRejected(InvalidRequest):
    """A figure or more can't be taken, so none was stored; `errors` lists why, with the codes of imports."""

    example: ClassVar[Mapping[str, Any]] = {
        "errors": [
            {
                "pointer": "#/observations/0/measure",
                "code": "unknown_measure",
                "detail": "'ks4.attainment8' is no measure of the catalogue. Was ks4.attainment_8 meant?",
            }
        ]
    }
