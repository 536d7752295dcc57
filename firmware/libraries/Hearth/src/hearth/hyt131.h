// What the four bytes of a HYT131 (also HYT221, HYT271, HYT939) humidity sensor mean.
//
// Knows the numbers (IST data sheet, "Conversion of the measured values"). Does not know the wire.
//
//   SSHHHHHH HHHHHHHH TTTTTTTT TTTTTT--     S status: command mode, stale   H humidity   T temperature
#pragma once

#include "payload.h"

namespace hearth {

constexpr uint8_t kHytAddress = 0x28;
constexpr uint8_t kHytMeasures = 100;  // ms: "typical 60 ms" and reserve

struct Climate {
  int16_t temperature;  // 0.01 degC
  uint16_t humidity;    // 0.01 %
};

constexpr Climate kNoClimate = {kNoTemperature, kNoHumidity};

inline Climate decodeHyt(const uint8_t* bytes) {
  if (bytes[0] & 0xC0) return kNoClimate;  // not measuring, or read twice
  const uint16_t humidity = uint16_t(bytes[0] & 0x3F) << 8 | bytes[1];
  const uint16_t temperature = (uint16_t(bytes[2]) << 8 | bytes[3]) >> 2;
  // 14 bits are 0..100 % and -40..125 degC; all ones is what a bus nobody drives reads as.
  if (humidity == 0x3FFF && temperature == 0x3FFF) return kNoClimate;
  return {int16_t(int32_t(temperature) * 16500 / 16383 - 4000), uint16_t(uint32_t(humidity) * 10000 / 16383)};
}

}  // namespace hearth
