"""HTTP: the app of a service, its edge, who is asking, and how answers look."""
