"""Configure gunicorn: `gunicorn --config python:config.gunicorn config.wsgi`."""

import os

bind = f"{os.environ.get('HOST', '0.0.0.0')}:{os.environ.get('PORT', '8000')}"
worker_class = "gthread"
workers = int(os.environ.get("WEB_CONCURRENCY", "2"))
threads = 8
timeout = 300  # seconds; a large upload over a slow connection must not count as a hung worker
graceful_timeout = 30
max_requests = 2000  # a worker that restarts returns the memory it has accumulated
max_requests_jitter = 200
control_socket_disable = True  # the socket is one file per user, shared by all sites of that user
