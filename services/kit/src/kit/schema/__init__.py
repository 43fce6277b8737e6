"""Tables, policies, roles and migrations."""
