"""Find people and events: turn conditions into queries.

In: conditions as data, from a URL, a form or a stored segment. Out: a query, a page of its results, a count or an
estimate. It must not write, and must not know of the pages of the admin.
"""
