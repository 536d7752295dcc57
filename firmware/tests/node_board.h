// A node's board on a PC: a clock that moves as it is told, sensors that say what they are told.
#pragma once

#include <hearth/fade.h>
#include <hearth/hyt131.h>

#include "fakes.h"

using hearth::Climate;
using hearth::Levels;

struct Clock {
  uint32_t ms = 0;
  int calibrated = 0;
  uint32_t now() const { return ms; }
  void calibrate() { ++calibrated; }
};

struct Strip {
  Levels levels = {{0, 0, 0}};
  void show(const Levels& to) { levels = to; }
};

struct Board {
  FakeRadio radio;
  FakeEeprom eeprom;
  FakeHost host;
  Clock clock;
  Strip strip;
  bool moving = false;
  int wakes = 0;
  std::vector<int16_t> celsius;

  bool motion() const { return moving; }
  uint16_t light() const { return 512; }
  uint16_t supply() const { return 3105; }
  Climate climate() const { return {2150, 4525}; }
  uint8_t measure() const { return celsius.size(); }
  int16_t temperature(uint8_t index) const { return index < celsius.size() ? celsius[index] : hearth::kNoTemperature; }
  uint16_t ms() const { return clock.ms; }
  void wakeRadio() { ++wakes; }
  template <class AnyNode>
  void converse(AnyNode& node, uint16_t listen, bool = false) {
    for (uint16_t passed = 0; node.busy() || passed < listen; ++passed) {
      ++clock.ms;
      node.poll(clock.ms, clock.ms / 1000);
    }
  }
};
