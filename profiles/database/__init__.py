"""Use features of PostgreSQL: a time limit for statements, and the text format of COPY.

In: SQL, or values. Out: the statement under the limit, or lines to copy. It must not know of any table of the project.
"""
