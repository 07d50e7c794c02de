"""Read the bytes of an uploaded file as records: container, encoding, delimiter, quoting, sheets.

In: an open binary file, its size limits, and the format that a person chose, if any. Out: a ``Source`` with the header,
batches of rows with their place in the file, and statistics of each column; or ``SourceError`` with the reason.
It must not know of the database, of presets, or of what a column means.
"""
