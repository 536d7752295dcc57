// The payloads of our own nodes: what stands in a frame, field by field.
//
// Knows layouts and units. Does not know who sends them or when. Every payload begins with type and version,
// the sender's id (the air header has room for one id only) and a sequence number that a retry keeps.
// Fields are little-endian and of fixed width; the structs below ARE the wire format, no padding, no bit fields.
#pragma once

#include <stdint.h>

namespace hearth {

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the structs are laid over little-endian wire bytes");

#define HEARTH_WIRE struct __attribute__((packed))

enum Type : uint8_t {
  kAnnounce = 0x11,
  kRoom = 0x21,
  kMotion = 0x31,
  kTemperature = 0x41,
  kLight = 0x51,
  kSet = 0x61,
  kCommit = 0x71,
  kAck = 0xF1,
};

enum Kind : uint8_t { kGatewayKind = 1, kLedKind = 2, kRoomKind = 3, kOneWireKind = 4 };

enum AckCode : uint8_t { kDone = 0, kUnknownType = 1, kBadValue = 2, kNotCommitted = 3 };

enum Effect : uint8_t { kFade = 0, kCandle = 1, kRainbow = 2, kBreathe = 3 };

constexpr int16_t kNoTemperature = -32768;
constexpr uint16_t kNoHumidity = 65535;
constexpr uint16_t kNoLight = 65535;
constexpr uint16_t kNoBattery = 0;

HEARTH_WIRE Opening {
  uint8_t type;
  uint8_t sender;
  uint8_t sequence;
};

HEARTH_WIRE Announce {
  Opening opening;
  uint8_t kind;
  uint8_t firmware_minor;
  uint8_t firmware_major;
  uint8_t reset;         // MCUSR: 1 power on, 2 external, 4 brown-out, 8 watchdog
  uint8_t settings;      // kCopyASound | kCopyBSound | kDefaultsInUse
  uint16_t settings_crc;
};

HEARTH_WIRE Room {
  Opening opening;
  uint8_t motion;
  int16_t temperature;  // 0.01 degC
  uint16_t humidity;    // 0.01 %
  uint16_t light;       // 0..1023, raw
  uint16_t battery;     // mV
  uint8_t given_up;     // acked packets given up since boot, wraps
};

HEARTH_WIRE Motion {
  Opening opening;
  uint8_t motion;    // 1 began, 0 ended
  uint16_t light;    // 0..1023, raw
  uint16_t battery;  // mV
  uint8_t given_up;
};

HEARTH_WIRE Temperature {
  Opening opening;
  uint8_t index;        // which sensor of the node
  int16_t temperature;  // 0.01 degC
  uint16_t battery;     // mV
};

HEARTH_WIRE Light {
  Opening opening;
  uint8_t effect;
  uint8_t red;
  uint8_t green;
  uint8_t blue;
  uint8_t brightness;  // 0 = off
  uint16_t fade;       // 10 ms
};

HEARTH_WIRE Set {
  Opening opening;
  uint8_t key;
  uint16_t value;
};

HEARTH_WIRE Commit {
  Opening opening;
  uint16_t check;  // CRC-16 of the staged settings block
};

HEARTH_WIRE Ack {
  Opening opening;  // its sequence is that of the packet acked
  uint8_t code;
};

static_assert(sizeof(Announce) == 10, "announce is 10 bytes on the air");
static_assert(sizeof(Room) == 13, "room is 13 bytes on the air");
static_assert(sizeof(Motion) == 9, "motion is 9 bytes on the air");
static_assert(sizeof(Temperature) == 8, "temperature is 8 bytes on the air");
static_assert(sizeof(Light) == 10, "light is 10 bytes on the air");
static_assert(sizeof(Set) == 6, "set is 6 bytes on the air");
static_assert(sizeof(Commit) == 5, "commit is 5 bytes on the air");
static_assert(sizeof(Ack) == 4, "ack is 4 bytes on the air");

// The length a payload of this type must have; 0 for a type we do not know.
inline uint8_t lengthOf(uint8_t type) {
  switch (type) {
    case kAnnounce: return sizeof(Announce);
    case kRoom: return sizeof(Room);
    case kMotion: return sizeof(Motion);
    case kTemperature: return sizeof(Temperature);
    case kLight: return sizeof(Light);
    case kSet: return sizeof(Set);
    case kCommit: return sizeof(Commit);
    case kAck: return sizeof(Ack);
    default: return 0;
  }
}

}  // namespace hearth
