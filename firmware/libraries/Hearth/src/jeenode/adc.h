// Voltages: the node's own supply, and a light sensor.
//
// Knows the converter and its settling. Does not know what is bright or empty.
#pragma once

#include <avr/io.h>
#include <util/delay.h>

namespace hearth {

class Adc {
 public:
  // The supply in mV: the 1.1 V band gap as a fraction of it, 1.1 V * 1023 / reading. The gap itself is 1.0..1.2 V from
  // chip to chip (data sheet, table "System and reset characteristics") and steady in one chip.
  static uint16_t supply() {
    // The reference's capacitor takes a millisecond to follow when the channel changes.
    const uint16_t reading = convert(_BV(REFS0) | 0x0E, 1000);
    return reading ? 1125300UL / reading : 0;
  }

  // A light-dependent resistor from A3 to ground against the pin's own pull-up: 1023 is bright.
  static uint16_t light() {
    PORTC |= _BV(PC3);
    const uint16_t reading = convert(_BV(REFS0) | 3, 200);
    PORTC &= ~_BV(PC3);
    return 1023 - reading;
  }

 private:
  static uint16_t convert(uint8_t channel, uint16_t settle_us) {
    ADMUX = channel;
    ADCSRA = _BV(ADEN) | _BV(ADPS2) | _BV(ADPS1) | _BV(ADPS0);  // 125 kHz
    for (; settle_us >= 100; settle_us -= 100) _delay_us(100);
    for (uint8_t i = 0; i < 2; ++i) {  // the first conversion after switching on is the unsettled one
      ADCSRA |= _BV(ADSC);
      while (ADCSRA & _BV(ADSC)) {
      }
    }
    const uint16_t reading = ADC;
    ADCSRA = 0;  // 0.2 mA saved asleep
    return reading;
  }
};

}  // namespace hearth
