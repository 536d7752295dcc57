// The hardware SPI port of an ATmega328P, with the radio's select line on PB2 (D10).
//
// Knows pins and bytes. Does not know which chip listens.
#pragma once

#include <avr/io.h>
#include <stdint.h>

namespace hearth {

class Spi {
 public:
  // 2 MHz at a 16 MHz clock: the RFM12B's FIFO may be read at 2.5 MHz at most (data sheet, FIFO read command).
  static void begin() {
    PORTB |= _BV(PB2);
    DDRB |= _BV(PB2) | _BV(PB3) | _BV(PB5);
    SPCR = _BV(SPE) | _BV(MSTR) | _BV(SPR0);
    SPSR = _BV(SPI2X);
  }

  static void select() { PORTB &= ~_BV(PB2); }
  static void release() { PORTB |= _BV(PB2); }

  static uint8_t exchange(uint8_t byte) {
    SPDR = byte;
    while (!(SPSR & _BV(SPIF))) {
    }
    return SPDR;
  }
};

}  // namespace hearth
