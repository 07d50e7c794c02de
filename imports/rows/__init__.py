"""Check the cells of a batch of rows and turn them into incoming values, or into problems. Pure.

In: a batch of records and a mapping. Out: column by column the values that go on, and a problem with row, line, column,
value, code and reason for each that does not. It must not know of jobs, of the database, or of who already exists.
"""
