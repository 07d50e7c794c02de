"""Change the schema, and keep the indexes that follow from it.

In: an attribute as somebody wants it to be. Out: the changed schema, or the faults that are in the way; identifier and
filter indexes built in the background. It must not change a stored value of a person.
"""
