"""Change the schema, and keep the indexes that follow from it.

In: an attribute with new settings. Out: the changed schema, or the faults that prevent the change; identifier and
filter indexes, built in the background. It must not change a stored value of a person.
"""
