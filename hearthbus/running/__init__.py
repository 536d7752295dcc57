"""Running services: what one process does from READY to its drained end, and the supervisor of a house's processes."""
