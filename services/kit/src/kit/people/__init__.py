"""People's data: what each service holds of a person, the copy that they get, and its erasure (docs/adr/0084)."""
