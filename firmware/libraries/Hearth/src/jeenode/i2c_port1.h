// I2C on a JeeNode's port 1: data D4 (PD4), clock A0 (PC0), as JeeLabs' plugs are wired.
//
// Knows bits and acks, at 100 kHz at most. Does not know sensors. Lines are driven low or let go, never driven high; the
// processor's pull-ups help the plug's own.
#pragma once

#include <avr/io.h>
#include <util/delay.h>

namespace hearth {

class I2cPort1 {
 public:
  static void begin() {
    PORTD |= _BV(PD4);
    PORTC |= _BV(PC0);
    dataUp();
    clockUp();
  }

  // True when a device answered to the address.
  static bool start(uint8_t address, bool reading) {
    dataUp();
    clockUp();
    wait();
    dataDown();
    wait();
    clockDown();
    return write(address << 1 | reading);
  }

  static void stop() {
    dataDown();
    wait();
    clockUp();
    wait();
    dataUp();
    wait();
  }

  static bool write(uint8_t byte) {
    for (uint8_t bit = 0x80; bit; bit >>= 1) {
      byte & bit ? dataUp() : dataDown();
      pulse();
    }
    dataUp();
    return !pulse();
  }

  static uint8_t read(bool last) {
    uint8_t byte = 0;
    dataUp();
    for (uint8_t i = 0; i < 8; ++i) byte = byte << 1 | pulse();
    last ? dataUp() : dataDown();
    pulse();
    dataUp();
    return byte;
  }

 private:
  static void wait() { _delay_us(5); }

  static void dataUp() {
    DDRD &= ~_BV(PD4);
    PORTD |= _BV(PD4);
  }
  static void dataDown() {
    PORTD &= ~_BV(PD4);
    DDRD |= _BV(PD4);
  }
  static void clockUp() {
    DDRC &= ~_BV(PC0);
    PORTC |= _BV(PC0);
  }
  static void clockDown() {
    PORTC &= ~_BV(PC0);
    DDRC |= _BV(PC0);
  }

  // One clock; the level of the data line while it was high.
  static bool pulse() {
    wait();
    clockUp();
    wait();
    const bool level = PIND & _BV(PD4);
    clockDown();
    return level;
  }
};

}  // namespace hearth
