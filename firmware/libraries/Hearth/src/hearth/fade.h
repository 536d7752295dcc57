// Three channels of light moving from one colour to another in equal steps.
//
// Knows arithmetic: 16 bits of linear light, monotonic, exactly on target with the last step. Does not know time (one
// step is 10 ms by agreement), colours as people pick them, or pins.
#pragma once

#include <stdint.h>

namespace hearth {

struct Levels {
  uint16_t channel[3];  // red, green, blue: 0..65535, linear light

  bool operator==(const Levels& other) const {
    return channel[0] == other.channel[0] && channel[1] == other.channel[1] && channel[2] == other.channel[2];
  }
  bool operator!=(const Levels& other) const { return !(*this == other); }
};

class Fade {
 public:
  const Levels& levels() const { return levels_; }
  const Levels& target() const { return target_; }
  bool running() const { return left_ != 0; }

  // From wherever the light is now; 0 steps arrive at once.
  void start(const Levels& target, uint16_t steps) {
    target_ = target;
    left_ = steps;
    if (steps == 0) levels_ = target;
    for (uint8_t i = 0; i < 3 && steps; ++i) {
      // 17.15 fixed point: a whole swing is 65535 * 2^15, which just fits. Division rounds towards zero, so a step is
      // never too long and the target never overshot.
      at_[i] = int32_t(levels_.channel[i]) * 32768;
      step_[i] = (int32_t(target.channel[i]) - levels_.channel[i]) * 32768 / steps;
    }
  }

  // One step; true when it was the last.
  bool advance() {
    if (left_ == 0) return false;
    if (--left_ == 0) {
      levels_ = target_;
      return true;
    }
    for (uint8_t i = 0; i < 3; ++i) {
      at_[i] += step_[i];
      levels_.channel[i] = at_[i] / 32768;
    }
    return false;
  }

 private:
  Levels levels_ = {{0, 0, 0}};
  Levels target_ = {{0, 0, 0}};
  int32_t at_[3] = {0, 0, 0};
  int32_t step_[3] = {0, 0, 0};
  uint16_t left_ = 0;
};

}  // namespace hearth
