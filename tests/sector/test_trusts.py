"""How a trust can be named, and the number of its company."""

from uuid import UUID

import pytest

from sector.trusts import company_number, trust_name, trust_reference

ID = UUID("9ef4e9a4-8b2c-53e6-a5c5-0f0a4c1a2b3c")


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("16846", ("group_uid", "16846")),
        ("TR03794", ("group_id", "TR03794")),
        ("tr03794", ("group_id", "TR03794")),
        (str(ID), ID),
        (str(ID).upper(), ID),
        ("", None),
        ("TR1", None),
        (ID.hex, None),
        ("{" + str(ID) + "}", None),
        ("16846 ", None),
        ("١٦٨٤٦", None),
        ("99999999999", None),
    ],
)
def test_by_id_group_uid_or_tr_reference(text: str, meant: object) -> None:
    assert trust_reference(text) == meant


@pytest.mark.parametrize(
    ("cell", "number"),
    [
        ("7525820.0", "07525820"),
        ("10872612", "10872612"),
        ("oc304173", "OC304173"),
        (" 123 ", "00000123"),
        ("", None),
        ("n/a", None),
        ("123456789", None),
        ("OC30417", None),
        ("٧٥٢٥٨٢٠", None),
    ],
)
def test_company_numbers_have_eight_characters(cell: str, number: str | None) -> None:
    assert company_number(cell) == number


@pytest.mark.parametrize(
    ("registered", "written"),
    [
        ("PROSPERE LEARNING TRUST", "Prospere Learning Trust"),
        ("EDUCATION AND LEADERSHIP TRUST", "Education and Leadership Trust"),
        ("THE DEAN TRUST", "The Dean Trust"),
        ("ST PAUL'S RC TRUST", "St Paul's RC Trust"),
        ("CO-OPERATIVE (NORTH) TRUST", "Co-Operative (North) Trust"),
        ("REACH2 ACADEMY TRUST", "Reach2 Academy Trust"),
        ("Leeds Learning Alliance", "Leeds Learning Alliance"),
        ("", ""),
    ],
)
def test_a_name_in_capitals_is_written_as_names_are(registered: str, written: str) -> None:
    assert trust_name(registered) == written
