"""Run an import from the command line: read the arguments, follow the job, print the result.

In: the words of a command. Out: printed progress, tables or JSON, and an exit code. It decides nothing about an import:
choices are checked by ``drafts``, transitions by ``jobs``.
"""
