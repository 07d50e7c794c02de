"""The page of one person in the admin: shown, added, changed, deleted.

In: a request about a person. Out: the page, and changes handed to ``profiles.writing.edit``.
"""
