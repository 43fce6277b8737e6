"""What becomes of an inspection's details when a file states some of them: SQL over the new row `i` and the known `o`.

A file without a column says nothing of it: what is known stays. An empty cell of a column that is there says that there
is nothing. What belongs to a grade (its day, and the category that a grade may be) stays only while the grade does.
"""

from __future__ import annotations

from typing import Final


def _stated(column: str) -> str:
    return f"case when '{column}' = any(i.stated) then i.{column} else o.{column} end"


_JUDGEMENTS: Final = "(coalesce(o.judgements, '{}') - i.stated) || i.judgements"
_SAME_GRADE: Final = f"""
    case when day.area = 'safeguarding' then o.safeguarding is not distinct from ({_stated("safeguarding")})
    else (o.judgements -> day.area) is not distinct from (({_JUDGEMENTS}) -> day.area) end
"""
_GRADED_ON: Final = f"""
    nullif(coalesce((
        select jsonb_object_agg(day.area, day.stated_on) from jsonb_each(o.graded_on) day(area, stated_on)
        where day.area <> all (i.dated) and {_SAME_GRADE}
    ), '{{}}') || coalesce(i.graded_on, '{{}}'), '{{}}')
"""  # noqa: S608 - constants
_CATEGORY: Final = f"""
    case when i.category_of_concern is null and 'category_of_concern' <> all (i.stated)
        and o.overall_grade is not distinct from ({_stated("overall_grade")})
    then o.category_of_concern else i.category_of_concern end
"""

INSPECTION_DETAILS: Final = {
    **{
        column: _stated(column)
        for column in ("published_on", "overall_grade", "safeguarding", "latest_category_of_concern")
    },
    "category_of_concern": _CATEGORY,
    "judgements": _JUDGEMENTS,
    "graded_on": _GRADED_ON,
}
"""What each value of an inspection becomes."""
