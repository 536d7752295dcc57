"""The version of hearthbus, stated once: the package's metadata is read from here."""

VERSION = "0.1.0"
