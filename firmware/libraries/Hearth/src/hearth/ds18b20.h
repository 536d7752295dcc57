// What a DS18B20's scratchpad means, and when to disbelieve it.
//
// Knows the layout (Maxim data sheet 19-7487, figure 9). Does not know the wire.
//
//   0 temperature low  1 high  2..3 alarms  4 configuration  5..7 reserved  8 CRC-8
#pragma once

#include "crc.h"
#include "payload.h"

namespace hearth {

constexpr uint8_t kScratchpad = 9;
constexpr uint8_t kTwelveBits = 0x7F;       // configuration register for 0.0625 degC, which takes 750 ms
constexpr int16_t kPowerOnReading = 0x0550;  // 85 degC: what stands there before the first conversion

// Hundredths of a degree; kNoTemperature when nothing answered, the check is wrong, or no conversion took place.
inline int16_t decodeDs18b20(const uint8_t* scratchpad) {
  uint8_t seen = 0;
  for (uint8_t i = 0; i < kScratchpad; ++i) seen |= scratchpad[i];
  // A line held low reads as nine zeros, which the check of zeros would pass.
  if (seen == 0 || crc8OneWire(scratchpad, kScratchpad) != 0) return kNoTemperature;
  const int16_t raw = int16_t(uint16_t(scratchpad[1]) << 8 | scratchpad[0]);
  // After power-up byte 6 reads 0x0C; a conversion leaves 0x10 minus the low four bits there. So 85 degC that was
  // measured differs from 85 degC that was not.
  if (raw == kPowerOnReading && scratchpad[6] == 0x0C) return kNoTemperature;
  if (raw < -55 * 16 || raw > 125 * 16) return kNoTemperature;
  return int32_t(raw) * 25 / 4;
}

}  // namespace hearth
