// The other end of each seam, on a PC: a radio that is an air two stand-ins share, a host, an EEPROM.
#pragma once

#include <deque>
#include <string>
#include <vector>

#include <Hearth.h>

struct FakeRadio {
  static const char* name() { return "fake"; }
  static constexpr bool kTellsRssi = false;

  void begin(const hearth::Channel& to) {
    channel = to;
    ++begun;
  }
  bool send(const hearth::Frame& frame) {
    if (taken) return false;
    sent.push_back(frame);
    sent.back().sound = true;
    return true;
  }
  bool receive(hearth::Frame& frame) {
    if (heard.empty()) return false;
    frame = heard.front();
    heard.pop_front();
    return true;
  }
  bool sending() const { return false; }

  void hear(uint8_t header, std::vector<uint8_t> payload, bool sound = true) {
    hearth::Frame frame = {};
    frame.group = channel.group ? channel.group : 212;
    frame.header = header;
    frame.sound = sound;
    frame.length = payload.size();
    std::copy(payload.begin(), payload.end(), frame.payload);
    heard.push_back(frame);
  }

  hearth::Channel channel = {0, 0, 0};
  int begun = 0;
  bool taken = false;
  std::deque<hearth::Frame> heard;
  std::vector<hearth::Frame> sent;
};

struct FakeHost {
  uint16_t room() const { return space; }
  void put(char letter) { text += letter; }

  // What was said since this was last asked.
  std::string said() {
    std::string all;
    all.swap(text);
    return all;
  }

  std::string text;
  uint16_t space = 511;
  std::string typed;
  bool available() const { return !typed.empty(); }
  char take() {
    const char letter = typed[0];
    typed.erase(0, 1);
    return letter;
  }
};

struct FakeEeprom {
  uint8_t read(uint16_t at) const { return cells.at(at); }
  void write(uint16_t at, uint8_t byte) {
    if (cells.at(at) == byte) return;
    if (writes_left == 0) {
      if (erasing) cells[at] = 0xFF;
      erasing = false;
      return;
    }
    if (writes_left > 0) --writes_left;
    cells[at] = byte;
    ++wear.at(at);
  }
  std::vector<uint8_t> cells = std::vector<uint8_t>(1024, 0xFF);
  std::vector<int> wear = std::vector<int>(1024, 0);
  // The supply fails after so many writes, -1 never; the cell it fails in is left erased, or as it was.
  void fails(int after, bool leaving_erased) {
    writes_left = after;
    erasing = leaving_erased;
  }
  int writes_left = -1;
  bool erasing = false;
};

inline std::vector<uint8_t> bytesOf(const hearth::Frame& frame) {
  return std::vector<uint8_t>(frame.payload, frame.payload + frame.length);
}
