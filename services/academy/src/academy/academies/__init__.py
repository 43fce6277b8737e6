"""The register of schools: identifiers, phase, status, predecessors and successors, and inspections.

An academy is known by its URN (six digits, an integer here); a conversion gives a new URN, tied to the old
one by a link. `status` is open, closed, proposed_to_open, proposed_to_close or unknown. A URN that figures
name and the register doesn't know yet is a stub (`is_registered` false) until a register file names it.
Inspections keep the old overall grade and the report card side by side and never map one onto the other. Only
the platform's loader writes here, from imports of the `gias-*` and `ofsted-*` kinds.
"""
