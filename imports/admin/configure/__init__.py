"""The screen *Configure* of an import: identifier, action, mapping, options.

In: a request about a draft. Out: the page, or a part of it, and choices passed to ``imports.drafts.configure``.
"""
