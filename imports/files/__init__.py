"""Read the bytes of an uploaded file as records: container, encoding, delimiter, quoting, sheets.

In: an open binary file, its size limits, and the format that the user chose, if any. Out: a ``Source`` with the
header, batches of rows with their position in the file, and statistics of each column; or a ``SourceError`` with the
reason. The package does not depend on the database, on presets, or on the meaning of a column.
"""
