"""iCalendar files and addresses as a source; the only place that imports icalendar."""
