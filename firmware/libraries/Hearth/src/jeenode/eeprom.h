// The ATmega's EEPROM behind read(at) and write(at, byte).
//
// Knows that a byte which is already right need not be written (3.4 ms and wear saved). Does not know what it stores.
#pragma once

#include <avr/eeprom.h>

namespace hearth {

struct Eeprom {
  static uint8_t read(uint16_t at) { return eeprom_read_byte(reinterpret_cast<const uint8_t*>(at)); }
  static void write(uint16_t at, uint8_t byte) { eeprom_update_byte(reinterpret_cast<uint8_t*>(at), byte); }
};

}  // namespace hearth
