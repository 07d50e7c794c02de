"""Screens of imports in the admin: list, upload, configuration, the page of a job, help.

In: requests. Out: pages, and calls of ``drafts``, ``jobs`` and ``reports``, which hold the rules. A module is one
screen, or code that several screens share.
"""

from imports.admin import attributes, events, failed_tasks, jobs, people

__all__ = ["attributes", "events", "failed_tasks", "jobs", "people"]
