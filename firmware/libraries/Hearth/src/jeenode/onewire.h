// A one-wire bus on D4 (PD4), its sensors powered from A0 (PC0): JeeNode port 1 with the sensor's three legs.
//
// Knows slots and their times (Maxim DS18B20 data sheet, "1-Wire signaling"). Does not know what is asked.
// Interrupts are off for at most 80 us at a time, and the radio sleeps meanwhile anyway.
#pragma once

#include <avr/io.h>
#include <util/atomic.h>
#include <util/delay.h>

namespace hearth {

class OneWire {
 public:
  static void power(bool on) {
    DDRC |= _BV(PC0);
    PORTC = on ? PORTC | _BV(PC0) : PORTC & ~_BV(PC0);
    release();
    if (!on) PORTD &= ~_BV(PD4);  // a pull-up would feed the sensor through its data leg
  }

  // True when a sensor answered.
  static bool reset() {
    bool present;
    low();
    _delay_us(480);
    ATOMIC_BLOCK(ATOMIC_RESTORESTATE) {
      release();
      _delay_us(70);
      present = !level();
    }
    _delay_us(410);
    return present;
  }

  static void writeBit(bool bit) { slot(bit); }
  static bool readBit() { return slot(true); }

  static void write(uint8_t byte) {
    for (uint8_t i = 0; i < 8; ++i, byte >>= 1) slot(byte & 1);
  }

  static uint8_t read() {
    uint8_t byte = 0;
    for (uint8_t i = 0; i < 8; ++i) byte = byte >> 1 | (slot(true) ? 0x80 : 0);
    return byte;
  }

 private:
  // Writing a one and reading are the same thing: a short pull, then a look.
  static bool slot(bool one) {
    bool answer;
    ATOMIC_BLOCK(ATOMIC_RESTORESTATE) {
      low();
      _delay_us(5);
      if (one) release();
      _delay_us(8);
      answer = level();
    }
    _delay_us(50);
    release();
    _delay_us(5);
    return answer;
  }

  static void low() {
    PORTD &= ~_BV(PD4);
    DDRD |= _BV(PD4);
  }
  static void release() {
    DDRD &= ~_BV(PD4);
    PORTD |= _BV(PD4);
  }
  static bool level() { return PIND & _BV(PD4); }
};

}  // namespace hearth
