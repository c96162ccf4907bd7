"""Where messages go: services that apprise knows, and webhooks of ours."""
