"""The values that English schools share: academic years, terms, the numbers of schools, trusts and pupils, roles, days.

Pure: no database, no HTTP, no clock, no files. Services, the gateway and the command may import it; the kit may not.
Types for request models are in `sector.parameters`; all other modules use the standard library alone.
"""
