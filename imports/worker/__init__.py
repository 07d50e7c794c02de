"""Run the processes that do the work of a host: a django-q2 cluster, its supervisor, and index builds.

In: settings and the queue. Out: running processes that are replaced when they end or stop consuming. It must not know
of what a task does, except for which periodic work there is.
"""
