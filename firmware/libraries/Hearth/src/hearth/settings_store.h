// Settings in EEPROM, twice, so that a supply that fails while one is written leaves the other.
//
// Knows places and order of writing. Does not know what the fields mean. `Eeprom` needs read(at) and write(at, byte).
//
//   0x00 copy A: settings 10, crc 2     0x10 copy B: the same     0x30 the gateway's flags and their inverse, twice
//   0x40..0x3FF ring of the last colour (wear_ring.h)
#pragma once

#include "settings.h"

namespace hearth {

enum SettingsBits : uint8_t { kCopyASound = 1, kCopyBSound = 2, kDefaultsInUse = 4 };

constexpr uint16_t kCopyA = 0x00;
constexpr uint16_t kCopyB = 0x10;
constexpr uint16_t kFlags = 0x30;
constexpr uint16_t kRing = 0x40;
constexpr uint16_t kEepromSize = 0x400;

template <class Eeprom>
class SettingsStore {
 public:
  explicit SettingsStore(Eeprom& eeprom) : eeprom_(eeprom) {}

  // Fill `settings` from the sound copy, A before B, or leave the defaults that stand in it. A copy that is bad, or
  // older than the other, is written anew from the one in use. SettingsBits tell what was found.
  uint8_t load(Settings& settings) {
    Settings a;
    Settings b;
    const uint8_t found = (read(kCopyA, a) ? kCopyASound : 0) | (read(kCopyB, b) ? kCopyBSound : 0);
    if (found == 0) return kDefaultsInUse;
    settings = found & kCopyASound ? a : b;
    if (!(found & kCopyASound)) write(kCopyA, settings);
    if (!(found & kCopyBSound) || b.check() != settings.check()) write(kCopyB, settings);
    return found;
  }

  // Copy B is touched only when A reads back right; false when it does not (the EEPROM is worn out).
  bool save(const Settings& settings) {
    return write(kCopyA, settings) && write(kCopyB, settings);
  }

  // One byte of flags with its inverse beside it, from the first of two pairs that fit; `otherwise` when none does.
  uint8_t flags(uint8_t otherwise) {
    for (uint8_t at = kFlags; at <= kFlags + 2; at += 2) {
      const uint8_t flags = eeprom_.read(at);
      if (uint8_t(~flags) == eeprom_.read(at + 1)) return flags;
    }
    return otherwise;
  }

  // What is in force is made sound in the second pair before the first is touched.
  void saveFlags(uint8_t flags) {
    writeFlags(kFlags + 2, this->flags(flags));
    writeFlags(kFlags, flags);
  }

 private:
  void writeFlags(uint16_t at, uint8_t flags) {
    eeprom_.write(at, flags);
    eeprom_.write(at + 1, ~flags);
  }

  bool read(uint16_t at, Settings& settings) {
    uint8_t* bytes = reinterpret_cast<uint8_t*>(&settings);
    for (uint8_t i = 0; i < sizeof settings; ++i) bytes[i] = eeprom_.read(at + i);
    const uint16_t check = eeprom_.read(at + sizeof settings) | eeprom_.read(at + sizeof settings + 1) << 8;
    return settings.check() == check && plausible(settings);
  }

  bool write(uint16_t at, const Settings& settings) {
    const uint8_t* bytes = reinterpret_cast<const uint8_t*>(&settings);
    for (uint8_t i = 0; i < sizeof settings; ++i) eeprom_.write(at + i, bytes[i]);
    const uint16_t check = settings.check();
    eeprom_.write(at + sizeof settings, check & 0xFF);
    eeprom_.write(at + sizeof settings + 1, check >> 8);
    Settings written;
    return read(at, written) && written.check() == check;
  }

  Eeprom& eeprom_;
};

}  // namespace hearth
