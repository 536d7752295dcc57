// Lines to the host: text, numbers, and in hearth mode a line number and a check at the end of each.
//
// Knows digits and the check. Does not know what a line says, nor the serial port: `Out` needs put(char).
//
//   OK 37 49 5 9 1 0 2 128 12 0 #1F*A7
//                               |   `-- CRC-8 over all before the star, two upper-case hex digits
//                               `------ number of the line, one more each time, 00 after FF
#pragma once

#include "crc.h"
#include "flash.h"

namespace hearth {

template <class Out>
class LineWriter {
 public:
  explicit LineWriter(Out& out) : out_(out) {}

  // Numbering begins at 00 each time it is switched on.
  void number(bool on) {
    numbering_ = on;
    count_ = 0;
  }
  bool numbering() const { return numbering_; }

  LineWriter& letter(char letter) {
    check_ = crc8(check_, letter);
    out_.put(letter);
    return *this;
  }

  // A text in flash.
  LineWriter& text(const char* text) {
    while (const char next = flashByte(text++)) letter(next);
    return *this;
  }

  LineWriter& decimal(uint16_t value) {
    char digits[5];
    uint8_t count = 0;
    do {
      digits[count++] = '0' + value % 10;
      value /= 10;
    } while (value);
    while (count) letter(digits[--count]);
    return *this;
  }

  LineWriter& hex(uint8_t value) { return letter(digit(value >> 4)).letter(digit(value & 15)); }

  // The line's end.
  void end() {
    if (numbering_) {
      letter(' ').letter('#').hex(count_++);
      const uint8_t check = check_;
      letter('*').hex(check);
    }
    check_ = 0;
    out_.put('\r');
    out_.put('\n');
  }

 private:
  static char digit(uint8_t value) { return value < 10 ? '0' + value : 'A' + value - 10; }

  Out& out_;
  uint8_t check_ = 0;
  uint8_t count_ = 0;
  bool numbering_ = false;
};

}  // namespace hearth
