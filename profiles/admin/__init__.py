"""People and the schema in the admin."""

from profiles.admin import attributes, groups, people, segments

__all__ = ["attributes", "groups", "people", "segments"]
