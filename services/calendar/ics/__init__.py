"""A calendar as iCalendar text, RFC 5545, from a file or an address: fetched, cut up, expanded."""
