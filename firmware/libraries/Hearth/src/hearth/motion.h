// When motion begins and when it has ended, from the detector's level and the time.
//
// Knows two moments. Does not know pins, radio or where the time comes from; it only has to go forward, at any pace.
#pragma once

#include <stdint.h>

namespace hearth {

class MotionWatch {
 public:
  enum Event : uint8_t { kNone, kBegan, kEnded };

  // `active`: the detector sees motion, or saw it since the last look. Motion ends `hold` seconds after it last did.
  Event look(bool active, uint32_t now_ms, uint16_t hold) {
    if (active) {
      seen_at_ = now_ms;
      if (moving_) return kNone;
      moving_ = true;
      return kBegan;
    }
    if (!moving_ || now_ms - seen_at_ < uint32_t(hold) * 1000) return kNone;
    moving_ = false;
    return kEnded;
  }

  bool moving() const { return moving_; }

 private:
  uint32_t seen_at_ = 0;
  bool moving_ = false;
};

}  // namespace hearth
