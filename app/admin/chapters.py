"""The chapters of the documentation that several modules write."""

from typing import Final

SETTING_UP: Final = "Setting up"
OPERATION: Final = "Operation"
