"""Turn text into values, for files, forms and APIs alike; no other package does so (design rule 4). Pure.

In: text that is not blank, a type, and the options for reading it. Out: what is stored as JSON, or ``InvalidValue``
with a code and a reason. It must not know of attributes, of people, or of where the text came from.
"""
