"""Criteria sets: the rules by which a trust colours its academies, one set a phase.

A set is a **draft** (freely changed), then **published** (never changed again, and the only one that rates academies
of its trust and phase), then **retired** (kept, so that every old rating can still be explained). Publishing a set
retires the one before it in the same transaction. People with `criteria:write` draft; chief executives, improvement
advisers and improvement leads publish. The measures that criteria name come from the measures catalogue.
"""
