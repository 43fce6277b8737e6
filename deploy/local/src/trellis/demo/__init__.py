"""The demo: two real trusts with their published figures, loaded as anybody would load them, through the gateway.

The files in `data/` are Department for Education and Ofsted publications (`data/SOURCES.md` says which). Contains
public sector information licensed under the Open Government Licence v3.0.
"""
