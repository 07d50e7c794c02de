"""Report the results of an import: the results workbook, the rows to correct, the list of problems.

Input: a job, its problems and its stored file. Output: files, written in constant memory, during the request or by a
worker. This package must not change a job or a person.
"""
