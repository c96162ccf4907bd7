"""What can be set: the environment, read once into one frozen dataclass."""

from app.settings.addresses import Address, ServerUrl, is_loopback, without_credentials
from app.settings.secret import Secret, derived
from app.settings.table import HISTORY_FILE, KEY_FILE, VARIABLES, Settings
from app.settings.variable import BadSetting, markdown_table

__all__ = [
    "HISTORY_FILE",
    "KEY_FILE",
    "VARIABLES",
    "Address",
    "BadSetting",
    "Secret",
    "ServerUrl",
    "Settings",
    "derived",
    "is_loopback",
    "markdown_table",
    "without_credentials",
]
