// 12 bits of light out of an 8-bit PWM: a fraction of the periods is one count longer than the others.
//
// Knows which periods. Does not know timers. At 977 Hz sixteen periods last 16.4 ms, 61 Hz: the eye sees their mean;
// a finer fraction would have to flicker slower.
#pragma once

#include <stdint.h>

namespace hearth {

struct Dithered {
  uint16_t whole;    // 0..256 counts of 256
  uint8_t fraction;  // 0..15: so many of sixteen periods have one count more

  static Dithered of(uint16_t level) {
    // 65535 is all of 256 counts: the one added from half upwards makes the step between the two scales even.
    const uint16_t fine = (uint32_t(level) + (level >> 15) + 8) >> 4;
    return {uint16_t(fine >> 4), uint8_t(fine & 15)};
  }

  // The counts of the period at this place, 0..15.
  uint16_t counts(uint8_t place) const { return whole + (place < fraction); }

  // Where the periods' numbers stand: with their bits turned round, so that the longer ones are spread evenly.
  static uint8_t placeOf(uint8_t period) {
    return (period & 1) << 3 | (period & 2) << 1 | (period & 4) >> 1 | (period & 8) >> 3;
  }
};

}  // namespace hearth
