# SPDX-License-Identifier: MIT
"""The host side of Tollgate: boot it, read its records, publish results."""

__version__ = "0.1.0"


class Refused(Exception):
    """The user asked for something that cannot be done; the message says what to change."""
    status = 2


class Invalid(Refused):
    """Results that break their own schema: a fault of this program."""
    status = 1
