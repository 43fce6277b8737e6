"""Previews: which academies would change colour, and why, if a criteria set were published. Nothing is kept."""
