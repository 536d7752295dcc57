// Lines to the host and commands from it, garbage included.
#include <hearth/command_reader.h>
#include <hearth/config_line.h>
#include <hearth/frame_lines.h>
#include <hearth/node_console.h>
#include <hearth/random.h>

#include "check.h"
#include "fakes.h"

using namespace hearth;

static Frame frameOf(uint8_t header, std::vector<uint8_t> payload, bool sound = true) {
  FakeRadio radio;
  radio.hear(header, payload, sound);
  return radio.heard.front();
}

static std::string printed(const Frame& frame, const FrameStyle& style, bool numbered = false) {
  FakeHost host;
  LineWriter<FakeHost> line(host);
  line.number(numbered);
  printFrame(line, frame, style);
  return host.said();
}

TEST(line_is_numbered_and_checked, "In hearth mode a line ends with its number and the CRC-8 of all before the star") {
  FakeHost host;
  LineWriter<FakeHost> line(host);
  line.number(true);
  for (int count = 0; count < 300; ++count) {
    line.text("OK ").decimal(count).end();
    const std::string said = host.said();
    const size_t star = said.find('*');
    uint8_t check = 0;
    for (size_t i = 0; i < star; ++i) check = crc8(check, said[i]);
    char expected[40];
    std::snprintf(expected, sizeof expected, "OK %d #%02X*%02X\r\n", count, count & 0xFF, check);
    TEXT(expected, said.c_str());
  }
}

TEST(line_digits, "Numbers of every length are written as people write them") {
  FakeHost host;
  LineWriter<FakeHost> line(host);
  for (const uint16_t value : {0, 9, 10, 99, 100, 10000, 65535}) {
    line.decimal(value);
    TEXT(std::to_string(value).c_str(), host.said().c_str());
  }
}

TEST(frame_formats, "Packets are shown in each of RF12demo's formats") {
  const Frame motion = frameOf(37, {49, 5, 9, 'A', 0});
  TEXT("OK 37 49 5 9 65 0\r\n", printed(motion, {0, false, false}).c_str());
  TEXT("OK G212 37 49 5 9 65 0\r\n", printed(motion, {0, true, false}).c_str());
  TEXT("OK 37 49 5 9 65 0 (-0)\r\n", printed(motion, {0, false, true}).c_str());
  TEXT("OKX 2531050941" "00\r\n", printed(motion, {1, false, false}).c_str());
  TEXT("OKX GD4 253105094100\r\nASC <E 1 . . A .\r\n", printed(motion, {2, true, false}).c_str());
  TEXT("OK 194\r\n", printed(frameOf(194, {}), {0, false, false}).c_str());
  Frame loud = motion;
  loud.rssi = 126;
  TEXT("OK 37 49 5 9 65 0 (-63)\r\n", printed(loud, {0, false, true}).c_str());
  TEXT("OKX 253105094100 (7E)\r\n", printed(loud, {1, false, true}).c_str());
}

TEST(bad_frames_are_cut, "Of a packet whose check failed twenty bytes are shown, with RF12demo's question mark") {
  const std::string said = printed(frameOf(37, std::vector<uint8_t>(66, 1), false), {0, false, false});
  std::string expected = " ? 37";
  for (int i = 0; i < 20; ++i) expected += " 1";
  TEXT((expected + "\r\n").c_str(), said.c_str());
}

TEST(longest_line_has_room, "No line a packet can cause is longer than the room a gateway waits for") {
  const Frame longest = frameOf(255, std::vector<uint8_t>(66, 255));
  for (const uint8_t hex : {0, 1, 2}) CHECK(printed(longest, {hex, true, true}, true).size() < 320);
}

TEST(command_grammar, "Numbers parted by commas and a letter are a command; anything up to a blank begins anew") {
  CommandReader reader;
  for (const char letter : std::string("12,300,7")) CHECK(!reader.feed(letter));
  CHECK(reader.feed('s'));
  EQUAL(2, reader.command().count);
  EQUAL(12, reader.command().bytes[0]);
  EQUAL(44, reader.command().bytes[1]);
  EQUAL(7, reader.command().value);
  CHECK(reader.command().too_big);
  for (const char letter : std::string("1,2,\n5")) CHECK(!reader.feed(letter));
  CHECK(reader.feed('g'));
  EQUAL(0, reader.command().count);
  EQUAL(5, reader.command().value);
  CHECK(!reader.command().too_big);
}

TEST(command_after_a_gap, "Where letters were lost the rest of their command is no command; the next one is") {
  CommandReader reader;
  for (const char letter : std::string("1,2\0,3,4s", 9)) CHECK(!reader.feed(letter));
  for (const char letter : std::string("5,6,7")) CHECK(!reader.feed(letter));
  CHECK(reader.feed('s'));
  EQUAL(2, reader.command().count);
  EQUAL(5, reader.command().bytes[0]);
}

TEST(command_check_catches_any_letter, "A command with one letter changed to any other is not taken for what it was not") {
  const std::string good = "81,30,7,0,255,120,20,255,100,0,2,9,252u";
  for (size_t at = 0; at < good.size() - 1; ++at) {
    for (char other = '0'; other <= '9' + 1; ++other) {
      std::string garbled = good;
      garbled[at] = other > '9' ? ',' : other;
      CommandReader reader;
      for (const char letter : garbled) reader.feed(letter);
      EQUAL(garbled == good, reader.command().checked());
    }
    std::string shorter = good;
    shorter.erase(at, 1);
    CommandReader reader;
    for (const char letter : shorter) reader.feed(letter);
    const bool zero_left_out = good[at] == '0' && good[at - 1] == ',' && good[at + 1] == ',';  // and still a zero
    EQUAL(zero_left_out, reader.command().checked());
  }
}

TEST(command_reader_eats_garbage, "Any bytes may come: the reader stays within its room, and a command after a blank is read right") {
  Random random(77);
  CommandReader reader;
  for (int round = 0; round < 20000; ++round) {
    const char letters[] = "0123456789,,,,usn \xff";
    for (int i = random.next() % 400; i > 0; --i) {
      reader.feed(round & 1 ? char(random.next()) : letters[random.next() % (sizeof letters - 1)]);
      CHECK(reader.command().count <= Command::kRoom);
    }
    reader.feed('\n');
    for (const char letter : std::string("1,2,3")) CHECK(!reader.feed(letter));
    CHECK(reader.feed('s'));
    EQUAL(2, reader.command().count);
    EQUAL(3, reader.command().value);
    CHECK(!reader.command().too_many && !reader.command().too_big);
  }
}

TEST(config_line_is_rf12demos, "The configuration reads as RF12demo writes it") {
  FakeHost host;
  LineWriter<FakeHost> line(host);
  Settings settings = factorySettings(2);
  printConfig(line, settings, kQuietFlag);
  TEXT(" B i2 g212 @ 868 MHz q1", host.said().c_str());
  settings.offset = 1605;
  settings.band = 4;
  printConfig(line, settings, kCollectFlag | 1);
  TEXT(" B i2* g212 @ 433 MHz c1 o1605 x1", host.said().c_str());
}

TEST(frequency_is_exact, "Bands and offsets give the frequencies of the data sheet") {
  FakeHost host;
  LineWriter<FakeHost> line(host);
  const struct { uint8_t band; uint16_t offset; const char* text; } rows[] = {
      {4, 1600, " 434.0000 MHz\r\n"}, {8, 1600, " 868.0000 MHz\r\n"}, {9, 1600, " 912.0000 MHz\r\n"},
      {4, 96, " 430.2400 MHz\r\n"}, {8, 1661, " 868.3050 MHz\r\n"}, {9, 3903, " 929.2725 MHz\r\n"}};
  for (const auto& row : rows) {
    Settings settings = factorySettings(2);
    settings.band = row.band;
    settings.offset = row.offset;
    printFrequency(line, settings);
    TEXT(row.text, host.said().c_str());
  }
}

TEST(node_console, "A node's settings are set with a gateway's letters, refused beyond their bounds, and shown") {
  FakeHost host;
  NodeConsole<FakeHost> console(host, "led_node");
  Settings settings = factorySettings(2);
  console.greet(settings);
  TEXT("\r\n[led_node.1.0] B i2 g212 @ 868 MHz r300 m60\r\n", host.said().c_str());
  int changes = 0;
  for (const char letter : std::string("7i 33g 60r 5m 31i i 900b")) changes += console.hear(letter, settings);
  EQUAL(4, changes);
  EQUAL(7, settings.id);
  EQUAL(33, settings.group);
  EQUAL(60, settings.report);
  EQUAL(5, settings.hold);
  EQUAL(8, settings.band);
  host.said();
  for (const char letter : std::string("v")) console.hear(letter, settings);
  TEXT("[led_node.1.0] G i7 g33 @ 868 MHz r60 m5\r\n", host.said().c_str());
}
