"""LAESTABs, however they are written."""

import pytest

from sector.laestabs import local_authority_of, plain_laestab


@pytest.mark.parametrize(
    ("written", "plain"),
    [
        ("8504000", "8504000"),
        ("850/4000", "8504000"),
        ("850-4000", "8504000"),
        (" 850 4000 ", "8504000"),
        ("850/400", None),
        ("85O4000", None),
        ("", None),
        ("٨٥٠٤٠٠٠", None),
    ],
)
def test_a_laestab_is_seven_digits_however_it_is_written(written: str, plain: str | None) -> None:
    assert plain_laestab(written) == plain


def test_the_local_authority_comes_first() -> None:
    assert local_authority_of("850/4000") == "850"
    with pytest.raises(ValueError, match="LAESTAB"):
        local_authority_of("850")
