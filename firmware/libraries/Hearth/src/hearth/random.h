// Numbers without a pattern, for back-off and candles.
//
// Knows one 16-bit word of state. Does not know where its seed comes from; not for keeping secrets.
#pragma once

#include <stdint.h>

namespace hearth {

class Random {
 public:
  explicit Random(uint16_t seed = 1) { this->seed(seed); }

  void seed(uint16_t seed) { state_ = seed ? seed : 1; }

  // Marsaglia's xorshift for 16 bits, shifts 7, 9, 8: visits every value but 0 before it repeats.
  uint16_t next() {
    state_ ^= state_ << 7;
    state_ ^= state_ >> 9;
    state_ ^= state_ << 8;
    return state_;
  }

  // From low to high, both possible.
  uint16_t between(uint16_t low, uint16_t high) { return low + next() % (high - low + 1u); }

 private:
  uint16_t state_;
};

}  // namespace hearth
