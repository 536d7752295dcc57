// How much a transmitter may still send: the duty-cycle limit of its band as a bucket of air time.
//
// Knows the limits of Europe's bands (ETSI EN 300 220: 868.0-868.6 MHz 1 %, 433.05-434.79 MHz 10 %) and how a bucket
// fills. Does not know what is sent. 915 MHz is not limited this way.
#pragma once

#include <stdint.h>

namespace hearth {

class Duty {
 public:
  // 36 s: 1 % of the hour over which the standard counts.
  static constexpr uint32_t kFull = 36000000;  // us

  void start(uint8_t band, uint16_t now) {
    per_ms_ = band == 8 ? 10 : band == 4 ? 100 : 0;
    level_ = kFull;
    at_ = now;
  }

  // To be called at least every 65 s, with milliseconds.
  void refill(uint16_t now) {
    level_ += uint32_t(uint16_t(now - at_)) * per_ms_;
    if (level_ > kFull) level_ = kFull;
    at_ = now;
  }

  bool affords(uint32_t air_us) const { return per_ms_ == 0 || level_ >= air_us; }

  void spend(uint32_t air_us) { level_ -= air_us < level_ ? air_us : level_; }

  uint32_t left() const { return level_; }

 private:
  uint32_t level_ = kFull;
  uint16_t at_ = 0;
  uint8_t per_ms_ = 10;  // air time gained each millisecond, in us
};

}  // namespace hearth
