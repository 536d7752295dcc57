// A few bytes that change often, in EEPROM that bears 100 000 writes a cell: each write goes to the next slot.
//
// Knows slots, which is newest, and which are torn. Does not know what the bytes mean. `Eeprom` as in settings_store.h.
//
//   slot: number 1, value N, CRC-16 2      120 slots of 8 bytes: 12 million writes
#pragma once

#include <string.h>

#include "crc.h"

namespace hearth {

template <class Eeprom, class Value>
class WearRing {
 public:
  static constexpr uint8_t kSlot = 1 + sizeof(Value) + 2;

  WearRing(Eeprom& eeprom, uint16_t from, uint16_t to) : eeprom_(eeprom), from_(from), slots_((to - from) / kSlot) {}

  // The newest whole value; false when there is none, and `value` stays as it is.
  bool load(Value& value) {
    bool found = false;
    for (uint8_t slot = 0; slot < slots_; ++slot) {
      uint8_t bytes[kSlot];
      for (uint8_t i = 0; i < kSlot; ++i) bytes[i] = eeprom_.read(place(slot) + i);
      if (crc16(bytes, kSlot) != 0) continue;
      // Numbers go round after 255; with at most 127 slots the newer of two is less than half a round ahead.
      if (found && int8_t(bytes[0] - number_) < 0) continue;
      found = true;
      number_ = bytes[0];
      slot_ = slot;
      memcpy(&value, bytes + 1, sizeof(Value));
    }
    known_ = found;
    if (found) last_ = value;
    return found;
  }

  // Store a value after the newest one, if it is another; load() comes first.
  void save(const Value& value) {
    if (known_ && memcmp(&value, &last_, sizeof(Value)) == 0) return;
    slot_ = known_ ? (slot_ + 1) % slots_ : 0;
    ++number_;
    uint8_t bytes[kSlot];
    bytes[0] = number_;
    memcpy(bytes + 1, &value, sizeof(Value));
    const uint16_t check = crc16(bytes, kSlot - 2);
    bytes[kSlot - 2] = check & 0xFF;
    bytes[kSlot - 1] = check >> 8;
    for (uint8_t i = 0; i < kSlot; ++i) eeprom_.write(place(slot_) + i, bytes[i]);
    last_ = value;
    known_ = true;
  }

 private:
  uint16_t place(uint8_t slot) const { return from_ + uint16_t(slot) * kSlot; }

  Eeprom& eeprom_;
  uint16_t from_;
  uint8_t slots_;
  uint8_t slot_ = 0;
  uint8_t number_ = 0;
  Value last_;
  bool known_ = false;
};

}  // namespace hearth
