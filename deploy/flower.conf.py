"""Settings of Flower, a Python file that it reads with `--conf`.

Here and not on the command line, where everyone on the machine could read the password.
"""

import os

address = os.environ.get("HOOKFILL_FLOWER_ADDRESS") or "127.0.0.1"
port = int(os.environ.get("HOOKFILL_FLOWER_PORT") or 5555)
#: Flower reads variables of its own, too (FLOWER_...); `workers.light_app` has taken them away.
url_prefix = (os.environ.get("HOOKFILL_FLOWER_URL_PREFIX") or "").strip("/")

# Without them Flower would show everything to everyone: rather not start.
basic_auth = [f"{os.environ['HOOKFILL_FLOWER_USER']}:{os.environ['HOOKFILL_FLOWER_PASSWORD']}"]

#: A window to look through: no button may stop a worker or revoke a task.
read_only = True
#: Kept in memory; the default of 100,000 grows to gigabytes.
max_tasks = 5000
#: A saved state would be a pickle file, which runs what it holds when it is read.
persistent = False
#: The arguments read like sentences, so they come first.
tasks_columns = "args,name,state,received,runtime,worker"
