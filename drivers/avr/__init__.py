"""AVR boards behind a serial boot loader: images in Intel HEX, and avrdude, which writes and reads them back.

    hexfile   a .hex file checked: record checksums, gaps, size
    avrdude   its command line, what its output means, and running it with a time-out

Knows nothing of hearthbus, of radios or of what the firmware does.
"""
