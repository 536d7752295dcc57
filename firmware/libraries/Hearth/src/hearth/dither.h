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

  // The counts of one period of the sixteen. Its number with the bits turned round spreads the longer ones evenly.
  uint16_t counts(uint8_t period) const { return whole + (turned(period) < fraction); }

  static uint8_t turned(uint8_t period) {
    return (period & 1) << 3 | (period & 2) << 1 | (period & 4) >> 1 | (period & 8) >> 3;
  }
};

}  // namespace hearth
