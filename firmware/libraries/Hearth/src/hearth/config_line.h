// A node's configuration in RF12demo's form, which every program for JeeNodes knows how to read.
//
//    B i2* g212 @ 868 MHz c1 o1605 q1 x1
//
// Knows the form. Does not know who asked.
#pragma once

#include "line_writer.h"
#include "settings.h"

namespace hearth {

// RF12demo's flag byte, as it stores it too.
enum GatewayFlags : uint8_t { kHexFlags = 3, kCollectFlag = 4, kQuietFlag = 8 };

const char kAt[] HEARTH_FLASH = " @ ";
const char kMegahertz[] HEARTH_FLASH = " MHz";

// Without the line's end.
template <class Out>
void printConfig(LineWriter<Out>& line, const Settings& settings, uint8_t flags) {
  const bool collect = flags & kCollectFlag;
  line.letter(' ').letter('@' + settings.id).letter(' ').letter('i').decimal(settings.id);
  if (collect) line.letter('*');
  line.letter(' ').letter('g').decimal(settings.group).text(kAt);
  line.decimal(settings.band == 4 ? 433 : settings.band == 8 ? 868 : 915).text(kMegahertz);
  if (collect) line.letter(' ').letter('c').letter('1');
  if (settings.offset != kUsualOffset) line.letter(' ').letter('o').decimal(settings.offset);
  if (flags & kQuietFlag) line.letter(' ').letter('q').letter('1');
  if (flags & kHexFlags) line.letter(' ').letter('x').decimal(flags & kHexFlags);
}

// A line with the exact frequency: 430, 860 or 900 MHz and steps of 2.5, 5 or 7.5 kHz, to a tenth of a kHz.
template <class Out>
void printFrequency(LineWriter<Out>& line, const Settings& settings) {
  const uint8_t band = settings.band == 4 ? 1 : settings.band == 8 ? 2 : 3;
  const uint32_t hundreds_hz = (band == 3 ? 9000000UL : 4300000UL * band) + 25UL * band * settings.offset;
  const uint16_t rest = hundreds_hz % 10000;
  line.letter(' ').decimal(hundreds_hz / 10000).letter('.');
  for (uint16_t place = 1000; place; place /= 10) line.decimal(rest / place % 10);
  line.text(kMegahertz).end();
}

}  // namespace hearth
