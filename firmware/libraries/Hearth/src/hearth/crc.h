// The two checks of the house: CRC-16 over the air and over stored blocks, CRC-8 over serial lines.
//
// Knows the polynomials. Does not know what the bytes mean.
#pragma once

#include <stdint.h>

namespace hearth {

// RF12's CRC-16: reflected polynomial 0xA001, start 0xFFFF; run over data and check it leaves 0.
constexpr uint16_t kCrc16Start = 0xFFFF;

inline uint16_t crc16(uint16_t crc, uint8_t byte) {
  crc ^= byte;
  for (uint8_t bit = 0; bit < 8; ++bit) crc = (crc & 1) ? (crc >> 1) ^ 0xA001 : crc >> 1;
  return crc;
}

inline uint16_t crc16(const void* data, uint8_t count, uint16_t crc = kCrc16Start) {
  const uint8_t* bytes = static_cast<const uint8_t*>(data);
  while (count--) crc = crc16(crc, *bytes++);
  return crc;
}

// CRC-8, polynomial 0x07, start 0: catches every single and double bit fault in a line of up to 15 bytes
// and 255 of 256 garblings beyond.
inline uint8_t crc8(uint8_t crc, uint8_t byte) {
  crc ^= byte;
  for (uint8_t bit = 0; bit < 8; ++bit) crc = (crc & 0x80) ? (crc << 1) ^ 0x07 : crc << 1;
  return crc;
}

// The one-wire bus's CRC-8 (Maxim AN27): reflected polynomial 0x8C, start 0; over data and check it leaves 0.
inline uint8_t crc8OneWire(const uint8_t* bytes, uint8_t count) {
  uint8_t crc = 0;
  while (count--) {
    crc ^= *bytes++;
    for (uint8_t bit = 0; bit < 8; ++bit) crc = (crc & 1) ? (crc >> 1) ^ 0x8C : crc >> 1;
  }
  return crc;
}

}  // namespace hearth
