"""The benchmark: the SQL floor, this engine and django-import-export over the same people.

`make bench ROWS=1000000`, or `python -m tests.bench --rows 1000000`. It prints figures and judges none of them.
"""
