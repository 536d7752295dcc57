// Which sensors hang on a one-wire bus: the search that finds their 64-bit serial numbers one after the other.
//
// Knows the search (Maxim application note 187). Does not know slots: `Bus` has reset(), write(byte), readBit() and
// writeBit(bit). Each sensor is told apart by its number, so the order is the same at every start.
#pragma once

#include "crc.h"

namespace hearth {

struct Serial64 {
  uint8_t byte[8];  // family, 48 bits, CRC-8
};

// Fill `found` with up to `most` numbers; how many is returned. A garbled bus gives fewer, never wrong ones.
template <class Bus>
uint8_t searchOneWire(Bus& bus, Serial64* found, uint8_t most) {
  constexpr uint8_t kSearch = 0xF0;
  uint8_t count = 0;
  uint8_t turn = 0;  // the bit, from 1, at which the last walk went to zero and the next goes to one
  Serial64 serial = {};
  while (count < most) {
    if (!bus.reset()) return count;
    bus.write(kSearch);
    uint8_t next_turn = 0;
    for (uint8_t bit = 1; bit <= 64; ++bit) {
      uint8_t& byte = serial.byte[(bit - 1) / 8];
      const uint8_t mask = 1 << ((bit - 1) % 8);
      // Each sensor sends its bit and then the inverse; the wire is low when any of them sends low.
      const bool some_zero = !bus.readBit();
      const bool some_one = !bus.readBit();
      if (!some_zero && !some_one) return count;
      bool take = some_one;
      if (some_zero && some_one) {
        take = bit == turn || (bit < turn && (byte & mask));
        if (!take) next_turn = bit;
      }
      byte = take ? byte | mask : byte & ~mask;
      bus.writeBit(take);
    }
    if (crc8OneWire(serial.byte, 8) != 0) return count;
    found[count++] = serial;
    turn = next_turn;
    if (turn == 0) return count;
  }
  return count;
}

}  // namespace hearth
