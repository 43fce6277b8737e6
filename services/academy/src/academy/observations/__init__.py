"""Figures of schools: a value or the reason why there is none, with its source and the time of its publication.

Two layers: **national** (published by the DfE, the same for every reader, written by the platform's loader)
and **trust** (a trust's own, seen by that trust alone). A figure is known by layer, academy, measure, pupil
group, academic year and period; of several releases final beats revised beats provisional, then the latest
recorded. Nothing that was told is overwritten: a correction closes the old row (`superseded_at`) and adds a
new one, so that any past instant can be replayed. Comparison figures (England, region, LA) stand beside them.
"""
