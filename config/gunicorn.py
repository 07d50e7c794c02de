"""How gunicorn serves the site; `gunicorn --config python:config.gunicorn config.wsgi`."""

import os

bind = f"{os.environ.get('HOST', '0.0.0.0')}:{os.environ.get('PORT', '8000')}"
worker_class = "gthread"
workers = int(os.environ.get("WEB_CONCURRENCY", "2"))
threads = 8
timeout = 300  # a large upload on a slow line is no hung worker
graceful_timeout = 30
max_requests = 2000  # memory that a worker has gathered goes back to the machine
max_requests_jitter = 200
control_socket_disable = True  # it would be one file per user, shared by all sites of that user
