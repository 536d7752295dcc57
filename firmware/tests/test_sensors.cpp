// What sensors say: humidity and temperature, one-wire numbers and scratchpads.
#include <hearth/ds18b20.h>
#include <hearth/hyt131.h>
#include <hearth/onewire_search.h>
#include <hearth/random.h>

#include <algorithm>

#include "check.h"
#include "fakes.h"

using namespace hearth;

static int16_t scratchpad(uint8_t low, uint8_t high, uint8_t byte6 = 0x10) {
  uint8_t bytes[kScratchpad] = {low, high, 0x4B, 0x46, 0x7F, 0xFF, byte6, 0x10, 0};
  uint8_t crc = 0;
  for (int candidate = 0; candidate < 256; ++candidate) {
    bytes[8] = candidate;
    if (crc8OneWire(bytes, kScratchpad) == 0) crc = candidate;
  }
  bytes[8] = crc;
  return decodeDs18b20(bytes);
}

TEST(hyt_ends_of_scale, "A HYT131's scale ends at 0 % and 100 %, -40 and 125 degC; no sensor and no new value are missing") {
  const uint8_t low[] = {0, 0, 0, 0};
  EQUAL(-4000, decodeHyt(low).temperature);
  EQUAL(0, decodeHyt(low).humidity);
  const uint8_t high[] = {0x3F, 0xFF, 0xFF, 0xF8};
  EQUAL(10000, decodeHyt(high).humidity);
  CHECK(decodeHyt(high).temperature >= 12497);
  const uint8_t middle[] = {0x1C, 0xF5, 0x5F, 0x68};  // 45.25 % and 21.5 degC
  EQUAL(4524, decodeHyt(middle).humidity);
  EQUAL(2149, decodeHyt(middle).temperature);
  const uint8_t nobody[] = {0xFF, 0xFF, 0xFF, 0xFF}, stale[] = {0x5C, 0xF5, 0x5F, 0x68};
  EQUAL(kNoTemperature, decodeHyt(nobody).temperature);
  EQUAL(kNoHumidity, decodeHyt(stale).humidity);
}

TEST(ds18b20_data_sheet, "The data sheet's examples, in hundredths of a degree") {
  EQUAL(12500, scratchpad(0xD0, 0x07));
  EQUAL(8500, scratchpad(0x50, 0x05));
  EQUAL(2506, scratchpad(0x91, 0x01));
  EQUAL(50, scratchpad(0x08, 0x00));
  EQUAL(0, scratchpad(0x00, 0x00));
  EQUAL(-50, scratchpad(0xF8, 0xFF));
  EQUAL(-2506, scratchpad(0x6F, 0xFE));
  EQUAL(-5500, scratchpad(0x90, 0xFC));
}

TEST(ds18b20_disbelieved, "Nobody there, a wire held low, any wrong byte, and 85 degC that was never measured are missing") {
  EQUAL(kNoTemperature, scratchpad(0x50, 0x05, 0x0C));
  const uint8_t floating[9] = {0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF}, low[9] = {};
  EQUAL(kNoTemperature, decodeDs18b20(floating));
  EQUAL(kNoTemperature, decodeDs18b20(low));
  const uint8_t good[9] = {0x91, 0x01, 0x4B, 0x46, 0x7F, 0xFF, 0x0F, 0x10, 0x25};
  EQUAL(2506, decodeDs18b20(good));
  for (int at = 0; at < 9; ++at) {
    for (int change = 1; change < 256; ++change) {
      uint8_t garbled[9];
      std::copy(good, good + 9, garbled);
      garbled[at] ^= change;
      EQUAL(kNoTemperature, decodeDs18b20(garbled));
    }
  }
}

namespace {

// A wire with sensors that answer a search as real ones do.
struct Wire {
  std::vector<Serial64> sensors;
  std::vector<bool> alive;
  int at = 0;
  bool inverse = false;

  bool reset() {
    alive.assign(sensors.size(), true);
    at = 0;
    inverse = false;
    return !sensors.empty();
  }
  void write(uint8_t command) { EQUAL(0xF0, command); }
  bool bit(size_t sensor) const { return sensors[sensor].byte[at / 8] >> (at % 8) & 1; }
  bool readBit() {
    bool level = true;
    for (size_t i = 0; i < sensors.size(); ++i) {
      if (alive[i]) level = level && bit(i) != inverse;
    }
    inverse = !inverse;
    return level;
  }
  void writeBit(bool one) {
    for (size_t i = 0; i < sensors.size(); ++i) alive[i] = alive[i] && bit(i) == one;
    ++at;
  }
};

Serial64 serialOf(Random& random) {
  Serial64 serial;
  serial.byte[0] = 0x28;
  for (int i = 1; i < 7; ++i) serial.byte[i] = random.next();
  for (int candidate = 0; candidate < 256; ++candidate) {
    serial.byte[7] = candidate;
    if (crc8OneWire(serial.byte, 8) == 0) break;
  }
  return serial;
}

}  // namespace

TEST(search_finds_every_sensor, "Every sensor on the wire is found once, in the same order whoever hangs where") {
  Random random(31);
  for (int round = 0; round < 500; ++round) {
    Wire wire;
    for (int count = random.next() % 7; count > 0; --count) wire.sensors.push_back(serialOf(random));
    Serial64 found[8], again[8];
    EQUAL(wire.sensors.size(), searchOneWire(wire, found, 8));
    std::reverse(wire.sensors.begin(), wire.sensors.end());
    EQUAL(wire.sensors.size(), searchOneWire(wire, again, 8));
    EQUAL(0, std::memcmp(found, again, sizeof(Serial64) * wire.sensors.size()));
    EQUAL(std::min<size_t>(2, wire.sensors.size()), searchOneWire(wire, again, 2));
  }
}
