"""Small numbers: tables of counts that can be published without showing how few somebody's group is.

`tables` describes what is counted and which cells add up to which; `rules` says which counts are small and what an
attacker may know; `suppression` chooses what else to hide; `attacks` tries to work the hidden counts out again;
`percentages` does the same for shares. `suppression` and `attacks` load scipy, so only those who use them import them.

See docs/guides/small-numbers.md.
"""
