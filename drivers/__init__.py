"""Radios, instruments, wire formats: bytes to typed values and back. Knows nothing else of hearthbus."""
