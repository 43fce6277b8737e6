"""UPNs: the check letter, temporary numbers, and what is no UPN."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sector.upns import LETTERS, check_letter, parse_upn

TWELVE = st.from_regex(r"[0-9]{11}[0-9ABCDEFGHJKLMNPQRTUVWXYZ]", fullmatch=True)


@pytest.mark.parametrize(
    ("text", "is_temporary", "laestab"),
    [
        # Numbers of public guides and test suites; none belongs to a child.
        ("H801200001001", False, "8012000"),
        ("B801200005001", False, "8012000"),
        ("P207000016049", False, "2070000"),
        ("X00180001701A", True, "0018000"),
        (" h801200001001 ", False, "8012000"),
    ],
)
def test_numbers_with_the_right_letter_are_read(text: str, is_temporary: bool, laestab: str) -> None:
    upn = parse_upn(text)
    assert str(upn) == text.strip().upper()
    assert upn.is_temporary is is_temporary
    assert upn.laestab == laestab


def test_the_check_letter_by_hand() -> None:
    # 8x2 + 0x3 + 1x4 + 2x5 + 0 + 0 + 0 + 0 + 1x10 + 0 + 0 + 1x13 = 53, and 53 = 2 x 23 + 7: H is the letter of 7.
    assert check_letter("801200001001") == "H"
    # The same with the temporary letter C (2) in the last place: 53 - 13 + 2 x 13 = 66, and 66 = 2 x 23 + 20: X.
    assert check_letter("80120000100C") == "X"


@pytest.mark.parametrize("letter", ["I", "O", "S"])
def test_letters_that_look_like_digits_are_in_no_upn(letter: str) -> None:
    assert letter not in LETTERS
    for text in (f"{letter}801200001001", f"H80120000100{letter}"):
        with pytest.raises(ValueError, match="not a UPN"):
            parse_upn(text)


@pytest.mark.parametrize(
    "text",
    ["", "A801200001001", "H80120000100", "H8012000010011", "H801-2000-01-001", "H8012A0001001", "H٨01200001001"],
)
def test_anything_else_is_refused_without_repeating_it(text: str) -> None:
    with pytest.raises(ValueError, match="not a UPN") as refused:
        parse_upn(text)
    assert not text or text not in str(refused.value)


@given(rest=TWELVE)
def test_exactly_one_letter_fits(rest: str) -> None:
    assert parse_upn(check_letter(rest) + rest).text[1:] == rest
    for letter in set(LETTERS) - {check_letter(rest)}:
        with pytest.raises(ValueError, match="check letter"):
            parse_upn(letter + rest)


@given(rest=TWELVE, place=st.integers(0, 10), digit=st.integers(0, 9))
def test_one_wrong_digit_is_always_noticed(rest: str, place: int, digit: int) -> None:
    """23 is prime and more than any digit and any place, so that no single change goes unnoticed."""
    other = f"{rest[:place]}{digit}{rest[place + 1 :]}"
    assert (check_letter(other) == check_letter(rest)) is (other == rest)
