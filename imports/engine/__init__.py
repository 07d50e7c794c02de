"""Match the rows of a checked file to people: stage, plan, preview, apply.

Input: a job and one of its work units. Output: the job's tables with the staged rows, the outcome of each row and the
write set of each bucket; and, once the import is started, people written through ``profiles.writing``. The preview and
the import run the same code. This package must not know about pages, commands or downloads.
"""
