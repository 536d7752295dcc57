// Commands from the host: numbers parted by commas, then one letter; RF12demo's grammar.
//
// Knows numbers and letters. Does not know what a letter does.
//
//   255,128,64,5,17,203u     bytes 255 128 64 5 17, value 203, letter u
#pragma once

#include <stdint.h>

#include "crc.h"
#include "frame.h"

namespace hearth {

struct Command {
  // Payload, and before the last number at most a destination and a tag, or the four leading numbers of `>`.
  static constexpr uint8_t kRoom = kPayloadMax + 4;

  char letter;
  uint8_t count;         // numbers before the last one
  uint8_t bytes[kRoom];  // ... their low bytes
  uint16_t value;        // the last number
  bool too_many;         // numbers beyond kRoom were dropped, but for the last of them
  bool too_big;          // a number was above 255 (the last: above 65535)
  bool given;            // there was a last number at all

  // The check that u and n carry: over all bytes but the check itself.
  bool checked() const { return !too_big && given && value == checkOf(bytes, count); }

  static uint8_t checkOf(const uint8_t* bytes, uint8_t count) {
    uint8_t check = 0;
    while (count--) check = crc8(check, *bytes++);
    return check;
  }
};

// Stands among the letters where others were lost: what follows, up to the next command, is the rest of one.
constexpr char kGap = 0;

class CommandReader {
 public:
  CommandReader() { clear(); }

  // True when this letter completed a command; it stays readable until the next call.
  bool feed(char letter) {
    if (done_ || letter == kGap) clear();
    if (skipping_ || letter == kGap) {
      skipping_ = letter == kGap || letter == ',' || (letter >= '0' && letter <= '9');
    } else if (letter >= '0' && letter <= '9') {
      digit(letter - '0');
    } else if (letter == ',') {
      push();
    } else if (letter > ' ' && letter < 0x7F) {
      command_.letter = letter;
      command_.value = value_;
      command_.too_big |= wide_;
      done_ = true;
    } else {
      clear();
    }
    return done_;
  }

  const Command& command() const { return command_; }

  void clear() {
    command_.letter = 0;
    command_.count = 0;
    command_.value = 0;
    command_.too_many = false;
    command_.too_big = false;
    command_.given = false;
    value_ = 0;
    wide_ = false;
    done_ = false;
  }

 private:
  void digit(uint8_t digit) {
    const uint32_t value = uint32_t(value_) * 10 + digit;
    wide_ |= value > 0xFFFF;
    value_ = value;
    command_.given = true;
  }

  void push() {
    if (command_.count == Command::kRoom) {
      command_.too_many = true;
      --command_.count;
    }
    command_.too_big |= wide_ || value_ > 255;
    command_.bytes[command_.count++] = value_;
    command_.given = false;
    value_ = 0;
    wide_ = false;
  }

  Command command_;
  uint16_t value_;
  bool wide_;
  bool done_;
  bool skipping_ = false;
};

}  // namespace hearth
