"""How long a code for a screen or a kiosk is good."""

from datetime import timedelta

CODE_LIFETIME = timedelta(minutes=15)
"""As long as it takes to walk to the station and type it."""
