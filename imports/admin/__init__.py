"""Imports in the admin: each module is a screen, or what the screens have in common."""

from imports.admin import attributes, events, jobs, people, tasks

__all__ = ["attributes", "events", "jobs", "people", "tasks"]
