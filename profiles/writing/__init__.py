"""Write people; no other package does (design rule 3).

In: a change set, value locks, and a write set or the changes of a form. Out: people, identifiers, suppressions, changes
and events in the database, or ``Conflict`` if somebody else was faster. It must not know of files, jobs or pages.
"""
