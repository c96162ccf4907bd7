"""What can be set: the environment, read once into one frozen dataclass."""

from app.settings.addresses import Address, ServerUrl, is_loopback, without_credentials
from app.settings.foreign import forget_foreign, own
from app.settings.secret import Secret, derived
from app.settings.table import GIVEN_TO, HISTORY_FILE, KEY_FILE, VARIABLES, Settings
from app.settings.variable import BadSetting, markdown_table

__all__ = [
    "GIVEN_TO",
    "HISTORY_FILE",
    "KEY_FILE",
    "VARIABLES",
    "Address",
    "BadSetting",
    "Secret",
    "ServerUrl",
    "Settings",
    "derived",
    "forget_foreign",
    "is_loopback",
    "markdown_table",
    "own",
    "without_credentials",
]
