"""Merge incoming values into people under an action. Pure.

In: a working set of people, the rules of an import or a form, and incoming rows in order. Out: changed people, and the
outcome of each row. It must not know of files, of the database, or of how people are found in the database.
"""
