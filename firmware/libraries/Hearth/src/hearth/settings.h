// What a node keeps about itself: its id, its channel and its times.
//
// Knows the block's fields, their bounds and their keys on the air. Does not know where it is stored.
#pragma once

#include "crc.h"
#include "payload.h"
#include "radio.h"

namespace hearth {

enum SettingKey : uint8_t {
  kIdKey = 1,      // 1..30
  kGroupKey = 2,   // 1..212
  kBandKey = 3,    // 4, 8, 9
  kReportKey = 4,  // seconds
  kHoldKey = 5,    // seconds
  kOffsetKey = 6,  // 96..3903
};

HEARTH_WIRE Settings {
  uint8_t version;
  uint8_t id;
  uint8_t group;
  uint8_t band;
  uint16_t report;  // seconds between periodic reports
  uint16_t hold;    // seconds motion lasts after the last edge of the detector
  uint16_t offset;

  uint16_t check() const { return crc16(this, sizeof(Settings)); }
  Channel channel() const { return {band, group, offset}; }
};
static_assert(sizeof(Settings) == 10, "the settings block is 10 bytes and a check");

constexpr uint8_t kSettingsVersion = 1;

constexpr uint16_t kUsualOffset = 1600;  // 434.0, 868.0 or 912.0 MHz, as RF12 has it

// The ids that nodes have until they are given others.
constexpr uint8_t kLedId = 2;
constexpr uint8_t kOneWireId = 4;
constexpr uint8_t kRoomId = 5;
constexpr uint8_t kGatewayId = 30;

// RF12's own factory group and band; a report every five minutes as roomNode had it.
inline Settings factorySettings(uint8_t id) { return {kSettingsVersion, id, 212, 8, 300, 60, kUsualOffset}; }

// Whether a block says something a node can work with. A gateway may also be 31 (hears everything) or of group 0.
inline bool plausible(const Settings& settings) {
  return settings.version == kSettingsVersion && settings.id >= 1 && settings.id <= 31 && settings.group <= 250 &&
         (settings.band == 4 || settings.band == 8 || settings.band == 9) && settings.report >= 1 &&
         settings.offset >= 96 && settings.offset <= 3903;
}

// Change one field as a packet asks; false when the key or the value is not one we know, and nothing changed.
inline bool change(Settings& settings, uint8_t key, uint16_t value) {
  switch (key) {
    case kIdKey:
      if (value < 1 || value > 30) return false;
      settings.id = value;
      return true;
    case kGroupKey:
      if (value < 1 || value > 212) return false;
      settings.group = value;
      return true;
    case kBandKey:
      if (value != 4 && value != 8 && value != 9) return false;
      settings.band = value;
      return true;
    case kReportKey:
      if (value < 1) return false;
      settings.report = value;
      return true;
    case kHoldKey:
      settings.hold = value;
      return true;
    case kOffsetKey:
      if (value < 96 || value > 3903) return false;
      settings.offset = value;
      return true;
    default: return false;
  }
}

// Changes sent over the air, held back until a commit proves that all of them arrived.
class Staging {
 public:
  // Seconds after which changes without a commit are forgotten: a half-told node keeps what it had.
  static constexpr uint16_t kForget = 60;

  bool stage(const Settings& now_in_use, uint8_t key, uint16_t value, uint16_t now) {
    begin(now_in_use, now);
    return change(staged_, key, value);
  }

  // True when the check is that of the staged block, which is then `settings`.
  bool commit(Settings& settings, uint16_t check, uint16_t now) {
    begin(settings, now);
    if (staged_.check() != check) return false;
    settings = staged_;
    open_ = false;
    return true;
  }

 private:
  void begin(const Settings& now_in_use, uint16_t now) {
    if (!open_ || uint16_t(now - touched_) > kForget) staged_ = now_in_use;
    open_ = true;
    touched_ = now;
  }

  Settings staged_;
  uint16_t touched_ = 0;
  bool open_ = false;
};

}  // namespace hearth
