"""Inspections of all academies of a trust, in one list for those who keep a copy.

They belong to the register: published, and written by the platform's loader alone (`academy.academies`, which also
lists those of one academy). Here each is shown with the membership of its academy, so that a copy follows who
joins and leaves.
"""
