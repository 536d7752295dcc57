// An RGB strip on three transistors: hardware PWM at 977 Hz on D6 (red), D9 (green) and D5 (blue), dithered to 12 bits.
//
// Knows timers 0 and 1. Does not know colours: levels are linear light. Include it once in a program: it owns timer 1
// and its overflow vector; timer 0 stays Arduino's clock.
//
// Duty is OCR + 1 counts of 256, so no light at all means taking the pin off its timer; the port bit under it is low.
#pragma once

#include <avr/interrupt.h>
#include <avr/io.h>
#include <util/atomic.h>

#include "../hearth/dither.h"
#include "../hearth/fade.h"

namespace hearth {

class Strip {
 public:
  void begin() {
    active() = this;
    PORTD &= ~(_BV(PD5) | _BV(PD6));
    PORTB &= ~_BV(PB1);
    DDRD |= _BV(PD5) | _BV(PD6);
    DDRB |= _BV(PB1);
    ATOMIC_BLOCK(ATOMIC_RESTORESTATE) {
      // Both timers fast PWM of 8 bits at 16 MHz / 64 / 256, in step, so that one interrupt serves both.
      TCCR0A = _BV(WGM01) | _BV(WGM00);
      TCCR1A = _BV(WGM10);
      TCCR1B = _BV(WGM12) | _BV(CS11) | _BV(CS10);
      TCNT1 = TCNT0;
      OCR1AH = 0;  // the low half alone is written from here on
    }
  }

  // The light from the next period on.
  void show(const Levels& levels) {
    Dithered next[3];
    bool fractions = false;
    for (uint8_t i = 0; i < 3; ++i) {
      next[i] = Dithered::of(levels.channel[i]);
      fractions = fractions || next[i].fraction;
    }
    ATOMIC_BLOCK(ATOMIC_RESTORESTATE) {
      for (uint8_t i = 0; i < 3; ++i) dithered_[i] = next[i];
      serve();
      // A light without fractions needs no interrupt until it changes.
      TIMSK1 = fractions ? _BV(TOIE1) : 0;
    }
  }

  // Once a period: some 15 us, far below the 160 us a byte of the radio lasts.
  void serve() {
    period_ = (period_ + 1) & 15;
    const uint8_t place = Dithered::placeOf(period_);
    drive(dithered_[0].counts(place), TCCR0A, _BV(COM0A1), OCR0A);
    drive(dithered_[1].counts(place), TCCR1A, _BV(COM1A1), OCR1AL);
    drive(dithered_[2].counts(place), TCCR0A, _BV(COM0B1), OCR0B);
  }

  static Strip*& active() {
    static Strip* strip = nullptr;
    return strip;
  }

 private:
  static void drive(uint16_t counts, volatile uint8_t& control, uint8_t connect, volatile uint8_t& compare) {
    if (counts == 0) {
      control &= ~connect;
    } else {
      compare = counts - 1;
      control |= connect;
    }
  }

  Dithered dithered_[3] = {{0, 0}, {0, 0}, {0, 0}};
  uint8_t period_ = 0;
};

}  // namespace hearth

ISR(TIMER1_OVF_vect) { hearth::Strip::active()->serve(); }
