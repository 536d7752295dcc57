"""JeeNodes on the bus: the gateways of a house, what their nodes say, and the lights they switch."""
