// A node's serial line, for setting it up: RF12demo's letters where it has them.
//
//   7i 212g 8b 1600o   id, group, band, frequency offset, as on a gateway
//   300r 60m           seconds between reports, seconds motion is held
//   v                  version and configuration:
//                      [led_node.1.0] B i2 g212 @ 868 MHz r300 m60
//
// Knows letters and settings. Does not know the radio. Each change is answered with the configuration.
#pragma once

#include "command_reader.h"
#include "config_line.h"
#include "version.h"

namespace hearth {

const char kReportIs[] HEARTH_FLASH = " r";
const char kHoldIs[] HEARTH_FLASH = " m";
const char kNodeHelp[] HEARTH_FLASH = "i id, g group, b band, o offset, r report seconds, m motion hold seconds, v version";

template <class Out>
class NodeConsole {
 public:
  // `name` is a text in flash.
  NodeConsole(Out& out, const char* name) : lines_(out), name_(name) {}

  void greet(const Settings& settings) {
    lines_.end();
    describe(settings);
  }

  // True when `settings` were changed by this letter: store and use them.
  bool hear(char letter, Settings& settings) {
    if (!reader_.feed(letter)) return false;
    const Command& command = reader_.command();
    const uint8_t key = keyOf(command.letter);
    if (key != 0) {
      const bool changed = command.given && change(settings, key, command.value);
      if (key == kBandKey && changed) settings.offset = kUsualOffset;
      if (key == kOffsetKey) printFrequency(lines_, settings);
      configuration(settings);
      return changed;
    }
    if (command.letter == 'v') {
      describe(settings);
    } else {
      lines_.text(kNodeHelp).end();
    }
    return false;
  }

 private:
  static uint8_t keyOf(char letter) {
    switch (letter) {
      case 'i': return kIdKey;
      case 'g': return kGroupKey;
      case 'b': return kBandKey;
      case 'o': return kOffsetKey;
      case 'r': return kReportKey;
      case 'm': return kHoldKey;
      default: return 0;
    }
  }

  void describe(const Settings& settings) {
    lines_.letter('[').text(name_).letter('.').decimal(kMajor).letter('.').decimal(kMinor).letter(']');
    configuration(settings);
  }

  void configuration(const Settings& settings) {
    printConfig(lines_, settings, 0);
    lines_.text(kReportIs).decimal(settings.report).text(kHoldIs).decimal(settings.hold).end();
  }

  LineWriter<Out> lines_;
  CommandReader reader_;
  const char* name_;
};

}  // namespace hearth
