"""Changes of RAG statuses, as an Atom feed behind a link: what moved from one colour to another, and why in a word.

Made from the service's own events: ratings that change a colour, overrides, and overrides that end. No reason that a
person wrote is in it.
"""
