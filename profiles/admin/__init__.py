"""People and the schema in the admin."""

from profiles.admin import attributes, groups, people

__all__ = ["attributes", "groups", "people"]
