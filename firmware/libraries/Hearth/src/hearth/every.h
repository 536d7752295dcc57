// Something that is due again and again, without the lateness of one time adding to the next.
//
// Knows when. Does not know what. The clock only has to go forward; it may jump.
#pragma once

#include <stdint.h>

namespace hearth {

class Every {
 public:
  // True when it is due: at the first call, and then once in each `ms`. After a long silence once, not many times.
  bool due(uint32_t now, uint32_t ms) {
    if (started_ && now - last_ < ms) return false;
    last_ = started_ && now - last_ < 2 * ms ? last_ + ms : now;
    started_ = true;
    return true;
  }

 private:
  uint32_t last_ = 0;
  bool started_ = false;
};

}  // namespace hearth
