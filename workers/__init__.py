"""The Celery workers: thin tasks around the services of `broadcaster`."""
