"""Calendars of Google, read with google-api-python-client: who may ask, what is asked, what the answers mean.

Google's packages are imported when a calendar is asked for the first time, by nobody else.
"""

from __future__ import annotations
