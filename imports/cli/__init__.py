"""Run an import from the command line: read the arguments, follow the job, print the result.

In: the arguments of a command. Out: printed progress, tables or JSON, and an exit code. This package decides nothing
about an import: ``drafts`` checks the choices, ``jobs`` the transitions.
"""
