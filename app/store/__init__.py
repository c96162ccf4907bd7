"""Redis, behind the ports; each Lua script lies beside the module that calls it."""
