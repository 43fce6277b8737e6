"""Reading a file: from plain text on disk to validated rows, table by table.

In: the path of an unpacked file, its kind, and the academic year and release that were sent with it. Out: `Reading`s,
one for each batch of rows: frames by target table, counts, warnings and errors. What is wrong with a file is listed in
`Reading.errors`, never raised. Nothing here knows HTTP or the database; an import rule enforces it.

`kinds` lists every kind of file and reads one. Each kind is described in `publications`: which columns of which
layout hold what. A layout in `layouts` (a wide table, a tidy table, a register, CSV, NDJSON) turns rows into figures
or entries. `cells` reads single columns: numbers, symbols, dates, words. All of them use the types of `reading`.
"""
