"""How tables are laid out, whoever publishes them: from a file on disk to a `Reading` for each batch of rows.

`csv_file` and `ndjson_file` give batches of rows as text. `wide_table` (a column for each figure), `tidy_table`
(a row for each place, year and group) and `register` (a row for each school or trust) turn them into rows of the
target tables, the first two through `figures`.
"""
