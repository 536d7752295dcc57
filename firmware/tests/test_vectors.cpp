// Every row of the shared vectors, decoded and encoded by the structs that go over the air.
#include <cmath>
#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <string>

#include <Hearth.h>
#include <hearth/command_reader.h>

#include "check.h"
#include "fakes.h"
#include "vectors.h"

using namespace hearth;

namespace {

using Fields = std::map<std::string, std::string>;
using Bytes = std::vector<uint8_t>;

// Payloads of others' nodes, which only the driver knows.
const std::set<std::string> kForeign = {"stock_room", "stock_led", "slave", "masternode", "emontx"};

Bytes unhex(const std::string& hex) {
  Bytes bytes;
  if (hex == "-") return bytes;
  for (size_t i = 0; i + 1 < hex.size(); i += 2) bytes.push_back(std::stoi(hex.substr(i, 2), nullptr, 16));
  return bytes;
}

std::string hexOf(const Bytes& bytes) {
  std::string hex;
  for (const uint8_t byte : bytes) {
    char digits[3];
    std::snprintf(digits, sizeof digits, "%02x", byte);
    hex += digits;
  }
  return hex;
}

long number(const Fields& fields, const char* name, int scale = 1, long none = -1) {
  const auto found = fields.find(name);
  if (found == fields.end()) {
    std::fprintf(stderr, "no field %s\n", name);
    std::exit(1);
  }
  if (found->second == "none") return none;
  return std::lround(std::stod(found->second) * scale);
}

Opening opening(uint8_t type, const Fields& f) {
  return {type, uint8_t(number(f, "sender")), uint8_t(number(f, "sequence"))};
}

// Overlay a payload's struct on the row's bytes, build the same struct from the row's fields, and compare both ways:
// the fields must give these bytes, and these bytes, field by field, the fields.
template <class Payload>
void same(const Bytes& bytes, const Payload& built) {
  EQUAL(sizeof(Payload), bytes.size());
  EQUAL(lengthOf(bytes[0]), bytes.size());
  const uint8_t* encoded = reinterpret_cast<const uint8_t*>(&built);
  TEXT(hexOf(bytes).c_str(), hexOf(Bytes(encoded, encoded + sizeof built)).c_str());
}

template <class Payload>
Payload decode(const Bytes& bytes) {
  Payload payload;
  EQUAL(sizeof payload, bytes.size());
  std::memcpy(&payload, bytes.data(), sizeof payload);
  return payload;
}

void payloadRow(const std::string& kind, const Bytes& bytes, const Fields& f) {
  if (kind == "announce") {
    const Announce p = decode<Announce>(bytes);
    EQUAL(number(f, "kind"), p.kind);
    EQUAL(number(f, "settings_crc"), p.settings_crc);
    same(bytes, Announce{opening(kAnnounce, f), uint8_t(number(f, "kind")), uint8_t(number(f, "firmware_minor")),
                         uint8_t(number(f, "firmware_major")), uint8_t(number(f, "reset")),
                         uint8_t(number(f, "settings")), uint16_t(number(f, "settings_crc"))});
  } else if (kind == "room") {
    const Room p = decode<Room>(bytes);
    EQUAL(number(f, "temperature", 100, kNoTemperature), p.temperature);
    EQUAL(number(f, "humidity", 100, kNoHumidity), p.humidity);
    EQUAL(number(f, "battery_mv", 1, kNoBattery), p.battery);
    same(bytes, Room{opening(kRoom, f), uint8_t(number(f, "motion")),
                     int16_t(number(f, "temperature", 100, kNoTemperature)),
                     uint16_t(number(f, "humidity", 100, kNoHumidity)), uint16_t(number(f, "light", 1, kNoLight)),
                     uint16_t(number(f, "battery_mv", 1, kNoBattery)), uint8_t(number(f, "given_up"))});
  } else if (kind == "motion") {
    const Motion p = decode<Motion>(bytes);
    EQUAL(number(f, "motion"), p.motion);
    EQUAL(number(f, "light", 1, kNoLight), p.light);
    same(bytes, Motion{opening(kMotion, f), uint8_t(number(f, "motion")), uint16_t(number(f, "light", 1, kNoLight)),
                       uint16_t(number(f, "battery_mv", 1, kNoBattery)), uint8_t(number(f, "given_up"))});
  } else if (kind == "temperature") {
    const Temperature p = decode<Temperature>(bytes);
    EQUAL(number(f, "temperature", 100, kNoTemperature), p.temperature);
    same(bytes, Temperature{opening(kTemperature, f), uint8_t(number(f, "index")),
                            int16_t(number(f, "temperature", 100, kNoTemperature)),
                            uint16_t(number(f, "battery_mv", 1, kNoBattery))});
  } else if (kind == "light") {
    const Light p = decode<Light>(bytes);
    EQUAL(number(f, "fade_s", 100), p.fade);
    EQUAL(number(f, "brightness"), p.brightness);
    same(bytes, Light{opening(kLight, f), uint8_t(number(f, "effect")), uint8_t(number(f, "red")),
                      uint8_t(number(f, "green")), uint8_t(number(f, "blue")), uint8_t(number(f, "brightness")),
                      uint16_t(number(f, "fade_s", 100))});
  } else if (kind == "set") {
    EQUAL(number(f, "value"), decode<Set>(bytes).value);
    same(bytes, Set{opening(kSet, f), uint8_t(number(f, "key")), uint16_t(number(f, "value"))});
  } else if (kind == "commit") {
    EQUAL(number(f, "check"), decode<Commit>(bytes).check);
    same(bytes, Commit{opening(kCommit, f), uint16_t(number(f, "check"))});
  } else if (kind == "ack") {
    EQUAL(number(f, "code"), decode<Ack>(bytes).code);
    same(bytes, Ack{opening(kAck, f), uint8_t(number(f, "code"))});
  } else {
    std::fprintf(stderr, "the vectors hold a kind nobody here knows: %s\n", kind.c_str());
    std::exit(1);
  }
}

void frameRow(const Bytes& bytes, const Fields& f) {
  const Bytes payload = unhex(f.at("payload"));
  for (const bool any_group : {false, true}) {
    FrameReader reader;
    reader.start(any_group ? 0 : bytes[0]);
    for (size_t i = any_group ? 0 : 1; i < bytes.size(); ++i) EQUAL(i + 1 == bytes.size(), reader.feed(bytes[i]));
    CHECK(reader.frame().sound);
    EQUAL(number(f, "group"), reader.frame().group);
    EQUAL(number(f, "header"), reader.frame().header);
    TEXT(hexOf(payload).c_str(), hexOf(bytesOf(reader.frame())).c_str());
    uint8_t air[kFrameMax];
    const uint8_t count = encodeFrame(reader.frame(), air);
    TEXT(hexOf(bytes).c_str(), hexOf(Bytes(air, air + count)).c_str());
  }
}

void lineRow(const Bytes& bytes, const Fields& f) {
  uint8_t check = 0;
  for (const uint8_t byte : bytes) check = crc8(check, byte);
  EQUAL(number(f, "crc8"), check);
}

void commandRow(const Bytes& bytes, const Fields& f) {
  CommandReader reader;
  for (size_t i = 0; i < bytes.size(); ++i) EQUAL(i + 1 == bytes.size(), reader.feed(bytes[i]));
  const Command& command = reader.command();
  Bytes data = unhex(f.at("data"));
  EQUAL(number(f, "ack") ? 'u' : 'n', command.letter);
  EQUAL(data.size() + 2, command.count);
  TEXT(hexOf(data).c_str(), hexOf(Bytes(command.bytes, command.bytes + data.size())).c_str());
  EQUAL(number(f, "dest"), command.bytes[data.size()]);
  EQUAL(number(f, "tag"), command.bytes[data.size() + 1]);
  CHECK(command.checked());
  data.push_back(number(f, "dest"));
  data.push_back(number(f, "tag"));
  EQUAL(number(f, "check"), Command::checkOf(data.data(), data.size()));
}

}  // namespace

TEST(vectors, "Every row of the shared vectors means the same to the firmware, decoded and encoded") {
  std::ifstream file(vectors_path);
  CHECK(file.good());
  std::string line;
  std::set<std::string> seen;
  while (std::getline(file, line)) {
    std::istringstream words(line);
    std::string kind, hex, word;
    if (!(words >> kind >> hex) || kind[0] == '#') continue;
    Fields fields;
    while (words >> word) fields[word.substr(0, word.find('='))] = word.substr(word.find('=') + 1);
    seen.insert(kind);
    if (kForeign.count(kind)) continue;
    std::fprintf(stderr, "%s\n", line.c_str());  // pytest shows it when a row fails
    if (kind == "frame") {
      frameRow(unhex(hex), fields);
    } else if (kind == "line") {
      lineRow(unhex(hex), fields);
    } else if (kind == "command") {
      commandRow(unhex(hex), fields);
    } else {
      payloadRow(kind, unhex(hex), fields);
    }
  }
  for (const char* kind : {"announce", "room", "motion", "temperature", "light", "set", "commit", "ack", "frame", "line", "command"}) {
    CHECK(seen.count(kind));
  }
}
