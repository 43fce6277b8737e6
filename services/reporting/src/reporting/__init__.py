"""What others are told: boards, reports, exports and webhooks.

It stands with a schema, a role, migrations, health, a change feed and a contract of its own. What it
will hold comes slice by slice; until then its feed has no types of event.
"""
