"""Give back what an import did: the results workbook, the rows to correct, the list of problems.

In: a job, its problems and its stored file. Out: files in constant memory, made while a person waits or by a worker. It
must not change a job or a person.
"""
