"""Moderations: people's overrides of computed ratings, with a reason, evidence and a last day.

Made for the rating that is told now, by people with `ratings:moderate` who don't lead the academy. It is **in force**
for later ratings too, until it is **withdrawn**, **lapsed** (at the end of `lapses_on` in London), **replaced** by
another, or the academy has **left** the trust. Its maker adds files of evidence while it is in force. Ratings
themselves never change: both colours are always told.
"""
