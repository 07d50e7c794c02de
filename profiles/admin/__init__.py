"""People and the schema in the admin."""

<<<<<<< .merge_file_Cd0fUY
from profiles.admin import attributes, people, segments

__all__ = ["attributes", "people", "segments"]
=======
from profiles.admin import attributes, groups, people

__all__ = ["attributes", "groups", "people"]
>>>>>>> .merge_file_5N6rQq
