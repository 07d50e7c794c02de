"""People and the schema in the admin."""

from profiles.admin import attributes, events, people

__all__ = ["attributes", "events", "people"]
