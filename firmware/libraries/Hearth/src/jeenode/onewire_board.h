// The thermometer node's board: up to four DS18B20 on port 1, powered only while they measure.
//
// Knows the sensors' commands (Maxim data sheet, "DS18B20 function commands"). Does not know packets.
#pragma once

#include "../hearth/ds18b20.h"
#include "../hearth/onewire_search.h"
#include "onewire.h"
#include "sleeper_board.h"

namespace hearth {

const char kOneWireNode[] HEARTH_FLASH = "onewire_node";

struct OneWireBoard : SleeperBoard {
  static constexpr uint8_t kMost = 4;

  static uint16_t supply() { return Adc::supply(); }

  // Measure with every sensor found; how many there are.
  uint8_t measure() {
    bus_.power(true);
    pause(5);
    Serial64 serials[kMost];
    const uint8_t found = searchOneWire(bus_, serials, kMost);
    if (found != 0) {
      toAll();
      bus_.write(kWriteScratchpad);
      for (uint8_t alarm = 0; alarm < 2; ++alarm) bus_.write(0);
      bus_.write(kTwelveBits);
      toAll();
      bus_.write(kConvert);
      // 750 ms for 12 bits.
      for (const uint32_t from = clock.now(); clock.now() - from < 800;) rest();
    }
    for (uint8_t i = 0; i < kMost; ++i) celsius_[i] = i < found ? readOut(serials[i]) : kNoTemperature;
    bus_.power(false);
    return found;
  }

  int16_t temperature(uint8_t index) const { return celsius_[index]; }

  void rest() { clock.rest(nothing_); }

 private:
  enum Command : uint8_t { kMatch = 0x55, kSkip = 0xCC, kConvert = 0x44, kReadScratchpad = 0xBE, kWriteScratchpad = 0x4E };

  void toAll() {
    bus_.reset();
    bus_.write(kSkip);
  }

  int16_t readOut(const Serial64& serial) {
    bus_.reset();
    bus_.write(kMatch);
    for (const uint8_t byte : serial.byte) bus_.write(byte);
    bus_.write(kReadScratchpad);
    uint8_t scratchpad[kScratchpad];
    for (uint8_t& byte : scratchpad) byte = bus_.read();
    return decodeDs18b20(scratchpad);
  }

  OneWire bus_;
  int16_t celsius_[kMost];
  volatile bool nothing_ = false;  // no pin wakes this node
};

}  // namespace hearth
