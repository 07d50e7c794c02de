"""Check the cells of a batch of rows and turn them into incoming values, or into problems. Pure.

In: a batch of records and a mapping. Out: the valid values by column, and for each invalid one a problem with row,
line, column, value, code and reason. The package does not depend on jobs, on the database, or on existing people.
"""
