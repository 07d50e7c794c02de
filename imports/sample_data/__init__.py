"""Invent people, the same ones for the same seed: for the demo, the tests and the benchmark.

In: a seed and the number of rows. Out: lines of CSV, as varied and as untidy as real files. It must not know of the
database or of how files are imported.
"""
