"""HTTP to addresses that a user typed: one guarded client, so that nobody uses our servers to reach what they can't."""
