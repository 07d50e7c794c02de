"""People and the schema in the admin."""

from profiles.admin import attributes, people, segments

__all__ = ["attributes", "people", "segments"]
