"""The pages of one person in the admin: show, add, change and delete.

In: a request about a person. Out: the page, and changes passed to ``profiles.writing.edit``.
"""
