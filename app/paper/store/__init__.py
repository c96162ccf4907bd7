"""What the paper venue keeps in Redis; each Lua script lies beside the module that calls it."""

from pathlib import Path
from typing import Final

#: The folder of the scripts.
SCRIPTS: Final = Path(__file__).parent
