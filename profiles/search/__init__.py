"""Find people and events: conditions become queries.

In: conditions as data, from an address, a form or a stored segment. Out: a query, a page of it, a count or an estimate.
It must not write, and must not know of pages.
"""
