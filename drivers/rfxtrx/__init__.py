"""RFXtrx, RFXCOM's transceiver for 433 and 868 MHz: frames, packets, the stick's session; bytes to values, no I/O."""
