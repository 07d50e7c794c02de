"""Run the worker processes of a host: a django-q2 cluster and its supervisor; and build indexes in the background.

In: settings and the queue. Out: running processes that are replaced when they end or stop consuming. This package must
not know what a task does, except for the periodic work that the supervisor starts.
"""
