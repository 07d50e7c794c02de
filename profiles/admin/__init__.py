"""People and the schema in the admin."""

from profiles.admin import attributes, people

__all__ = ["attributes", "people"]
