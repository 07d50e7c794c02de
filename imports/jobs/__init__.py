"""The life of an import job: its states and transitions, its work units and their leases, its file, its notifications.

In: a job, an actor, and the transition that the actor requests. Out: the job in its next state, with an audit entry and
a queued task, or ``Refused`` with the reason. No other package changes a state or checks a role. This package must not
know what the work units contain, nor anything about pages and commands.
"""
