"""People, the schema, segments, subscription groups and events in the admin.

In: requests. Out: pages, and calls of ``writing``, ``attributes`` and ``search``, which hold the rules. It must not
depend on imports, which extend these screens through ``extensible``.
"""

from profiles.admin import attributes, events, groups, people, segments

__all__ = ["attributes", "events", "groups", "people", "segments"]
