"""Match the rows of a checked file to people: stage, plan, preview, apply.

In: a job and one of its work units. Out: the job's tables with staged rows, the outcome of each row and the write set
of each bucket; and, once the import is started, people written through ``profiles.writing``. The preview and the import
run the same code. It must not know of pages, commands or downloads.
"""
