// The seam between node logic and a radio: two methods, and what a radio must be told and can tell.
//
//   bool send(const Frame& frame)   start sending now; false when the air is taken or a frame is going out
//   bool receive(Frame& frame)      true, once, for each frame of our group that came in, sound or not
//
// Logic takes the radio as a template parameter, so that on the PC a dozen lines stand in for the chip.
// Knows names and numbers only. Does not know any chip.
#pragma once

#include <stdint.h>

namespace hearth {

struct Channel {
  uint8_t band;     // 4, 8 or 9: 433, 868 or 915 MHz
  uint8_t group;    // 1..212; 0 hears every group
  uint16_t offset;  // 96..3903, in steps of 2.5, 5 or 7.5 kHz from 430, 860 or 900 MHz
};

enum class Health : uint8_t {
  kFine,
  kSilent,      // the chip gave no sign of life; it was set up anew
  kPowerReset,  // the chip lost its supply and forgot its settings; it was set up anew
};

// Time on the air, in microseconds: 11 bytes of framing and the payload at 49261 bit/s (10 MHz / 29 / 7, the
// RFM12B's rate command 0xC606), and 250 us until the synthesiser runs.
inline uint32_t airTime(uint8_t length) { return 250 + (11 + uint32_t(length)) * 1624 / 10; }

}  // namespace hearth
