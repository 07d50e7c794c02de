"""The list of people in the admin: search, filters, table.

In: the query string. Out: a page of people, its filters as a form and as chips, and a count.
"""
