"""Settings of Flower, a Python file that it reads with `--conf`.

Here and not on the command line, where everyone on the machine could read the password.
"""

import os
import sys

from app.settings import VARIABLES, BadSetting

address = os.environ.get("HOOKFILL_FLOWER_ADDRESS") or "127.0.0.1"
port = int(os.environ.get("HOOKFILL_FLOWER_PORT") or 5555)
#: Flower reads variables of its own, too (FLOWER_...); `workers.light_app` has taken them away.
url_prefix = (os.environ.get("HOOKFILL_FLOWER_URL_PREFIX") or "").strip("/")

_user, _password = VARIABLES["flower_user"], VARIABLES["flower_password"]
# Without it Flower would show everything to everyone: rather not start.
if not os.environ.get(_password.name, "").strip():
    sys.exit(
        f"{_password.name} is not set. Only `hookfill up` derives it from the secret key, which "
        "Flower is not given: set it for this process."
    )
try:
    _name = _user.read(os.environ.get(_user.name, "").strip() or _user.default)
    _secret = _password.read(os.environ[_password.name].strip())
except BadSetting as error:
    sys.exit(str(error))
basic_auth = [f"{_name}:{_secret.reveal()}"]

#: A window to look through: no button may stop a worker or revoke a task.
read_only = True
#: Kept in memory; the default of 100,000 grows to gigabytes.
max_tasks = 5000
#: A saved state would be a pickle file, which runs what it holds when it is read.
persistent = False
#: The arguments read like sentences, so they come first.
tasks_columns = "args,name,state,received,runtime,worker"
