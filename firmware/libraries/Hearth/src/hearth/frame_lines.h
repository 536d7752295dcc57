// A received packet as a line for the host, in each of RF12demo's formats.
//
// Knows the formats. Does not know whether a packet ought to be shown or what is in it.
//
//   OK 37 49 5 9           decimal            OK G212 37 49 5 9      any group
//    ? 37 49 5 9           its check failed   OK 37 49 5 9 (-63)     with signal strength, RFM69
//   OKX 25310509           hex                ASC <E 1 . .           and a second line with the text
#pragma once

#include "frame.h"
#include "gateway_words.h"
#include "line_writer.h"

namespace hearth {

struct FrameStyle {
  uint8_t hex;     // 0, 1, or 2 with text
  bool any_group;  // the group is part of the news
  bool rssi;
};

constexpr uint8_t kShownOfBad = 20;  // bytes of a packet whose check failed, as in RF12demo

template <class Out>
void printFrame(LineWriter<Out>& line, const Frame& frame, const FrameStyle& style) {
  line.text(frame.sound ? kOk : kBadFrame);
  if (style.hex) line.letter('X');
  if (style.any_group) {
    line.letter(' ').letter('G');
    style.hex ? line.hex(frame.group) : line.decimal(frame.group);
  }
  line.letter(' ');
  style.hex ? line.hex(frame.header) : line.decimal(frame.header);
  const uint8_t count = frame.sound || frame.length < kShownOfBad ? frame.length : kShownOfBad;
  for (uint8_t i = 0; i < count; ++i) {
    if (style.hex) {
      line.hex(frame.payload[i]);
    } else {
      line.letter(' ').decimal(frame.payload[i]);
    }
  }
  if (style.rssi) {
    line.letter(' ').letter('(');
    style.hex ? line.hex(frame.rssi) : line.letter('-').decimal(frame.rssi / 2);
    line.letter(')');
  }
  line.end();
  if (style.hex < 2) return;
  line.text(kAscii).letter(frame.addressed() ? '>' : '<').letter('@' + frame.node());
  for (uint8_t i = 0; i < count; ++i) {
    const uint8_t byte = frame.payload[i];
    line.letter(' ').letter(byte < ' ' || byte > '~' ? '.' : byte);
  }
  line.end();
}

}  // namespace hearth
