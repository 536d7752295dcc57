"""The services: one folder or file each, one process each. They know the library and the drivers, never each other."""
