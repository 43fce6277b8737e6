"""What a token says, in words, for whoever holds it."""
