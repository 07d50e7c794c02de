"""Merge incoming values into a person under an action: what people become. Pure.

In: a working set of people, the rules of an import or a form, and incoming rows in order. Out: changed people, and the
outcome of each row. It must not know of the database, of files, or of how people are found in it.
"""
