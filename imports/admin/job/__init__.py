"""The page of one import: its state, its rows and problems, its downloads, its transitions.

In: a request about a job. Out: the page, or a part of it, and transitions passed to ``imports.jobs.lifecycle``.
"""
