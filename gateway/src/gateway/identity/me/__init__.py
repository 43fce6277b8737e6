"""What a token says, in words, for its holder."""
