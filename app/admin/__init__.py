"""Our own API and the dashboard, for whoever runs Hookfill."""
