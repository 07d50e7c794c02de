"""Help to use PostgreSQL: a time limit for statements, and the text format of COPY.

In: SQL, or values. Out: the same under a limit, or as lines to copy. It must not know of any table of the project.
"""
