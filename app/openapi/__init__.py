"""The description of every route, made from the routes."""
