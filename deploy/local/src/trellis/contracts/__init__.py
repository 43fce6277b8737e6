"""The contracts: made from the apps, committed in `openapi/`, checked against what was released.

`python -m trellis.contracts generate` writes them, `check` says whether the committed ones are what the apps say,
whether they break a client of a released version, and whether `calls.toml` names real operations; `lint` runs the
published ruleset; `types` writes the TypeScript types; `release` makes the present contracts the released ones.
"""
