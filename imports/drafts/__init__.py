"""Take a file from its upload to a mapping that may be checked: upload, scan, configuration.

In: an uploaded file, and what a user chooses for it. Out: a draft job with columns, suggestions and findings, which
``configure.check`` hands to the workers. This package must not know about people, or how rows are matched and applied.
"""
