"""Google Calendar as a source; the only place that imports Google's client."""
