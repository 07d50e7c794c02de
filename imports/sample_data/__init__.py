"""Generate invented people, the same ones for the same seed: for the demo, the tests and the benchmark.

Input: a seed and the number of rows. Output: lines of CSV, as varied and as noisy as real files. This package must not
know about the database or about how files are imported.
"""
