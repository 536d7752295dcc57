// Tables and texts that stay in flash on an AVR and are ordinary memory on a PC.
//
// Knows where bytes live. Does not know what they say.
#pragma once

#include <stdint.h>

#ifdef __AVR__
#include <avr/pgmspace.h>
#define HEARTH_FLASH PROGMEM
#else
#define HEARTH_FLASH
#endif

namespace hearth {

inline uint8_t flashByte(const void* at) {
#ifdef __AVR__
  return pgm_read_byte(at);
#else
  return *static_cast<const uint8_t*>(at);
#endif
}

inline uint16_t flashWord(const uint16_t* at) {
#ifdef __AVR__
  return pgm_read_word(at);
#else
  return *at;
#endif
}

}  // namespace hearth
