"""The Celery processes."""
