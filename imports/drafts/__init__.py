"""Take a file from the upload to a mapping that may be checked: upload, scan, configuration.

In: an uploaded file, and what a person chooses for it. Out: a draft job with columns, suggestions and findings, which
``configure.check`` hands to the workers. It must not know of people, or of how rows are matched and applied.
"""
