"""People and the schema in the admin."""

from profiles.admin import attributes, events, groups, people, segments

__all__ = ["attributes", "events", "groups", "people", "segments"]
