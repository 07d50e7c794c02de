"""The life of an import job: its states and transitions, its work units and their leases, its file, its notifications.

In: a job, an actor, and what they want of it. Out: the job in its next state with an audit entry and a queued task, or
``Refused`` with the reason. The only place that changes a state and checks a role. It must not know of what the work
units contain, or of pages and commands.
"""
