"""Imports in the admin: each module is a screen, or what the screens have in common."""

from imports.admin import attributes, events, failed_tasks, jobs, people

__all__ = ["attributes", "events", "failed_tasks", "jobs", "people"]
