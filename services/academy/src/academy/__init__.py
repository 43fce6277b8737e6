"""How each academy is doing and what is done about it: measures, ratings, plans and support."""
