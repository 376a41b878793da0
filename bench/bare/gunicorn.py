"""The product's own gunicorn settings, without the engine that its process starts."""

import config.gunicorn as ours

bind, workers, threads, worker_class = ours.bind, ours.workers, ours.threads, ours.worker_class
timeout, graceful_timeout, keepalive = ours.timeout, ours.graceful_timeout, ours.keepalive
worker_tmp_dir, control_socket_disable, errorlog = ours.worker_tmp_dir, ours.control_socket_disable, ours.errorlog
loglevel = "warning"
