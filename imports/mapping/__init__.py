"""Map the headers of a file to attributes of people, or to parts of events. Pure.

In: headers, the statistics of their columns, the options of a preset, and the schema. Out: a target for each column,
ranked suggestions, and the findings and faults of the whole mapping. The package does not depend on jobs, on the
database, or on single rows.
"""
