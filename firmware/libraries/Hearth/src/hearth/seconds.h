// Seconds out of milliseconds, one after the other for ever.
//
// Knows that milliseconds go round after 49.7 days, where dividing them would leap. Does not know the clock.
#pragma once

#include <stdint.h>

namespace hearth {

class Seconds {
 public:
  // To be called at least every 49 days; 65535 is followed by 0.
  uint16_t at(uint32_t ms) {
    for (; ms - counted_ >= 1000; counted_ += 1000) ++seconds_;
    return seconds_;
  }

 private:
  uint32_t counted_ = 0;
  uint16_t seconds_ = 0;
};

}  // namespace hearth
