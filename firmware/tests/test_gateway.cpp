// The whole gateway with a stand-in for its radio, its host and its EEPROM.
#include <hearth/gateway.h>

#include "check.h"
#include "fakes.h"

using namespace hearth;

namespace {

struct Board {
  FakeRadio radio;
  FakeHost host;
  FakeEeprom eeprom;
  uint16_t clock = 0;
  bool lit = false, down = false;
  void led(bool on) { lit = on; }
  void powerDown() { down = true; }
  uint16_t now() { return ++clock; }
};

struct Bench {
  Board board;
  Gateway<Board> gateway{board};
  uint16_t ms = 0;

  explicit Bench(bool hearth = true) {
    gateway.begin(2, 0);
    pass(200);
    board.host.said();
    if (hearth) say("1h");
  }

  std::string say(const std::string& words) {
    for (const char letter : words) gateway.hear(letter, ms);
    return board.host.said();
  }

  std::string pass(uint16_t time) {
    for (uint16_t i = 0; i < time; ++i) gateway.poll(++ms);
    return board.host.said();
  }

  // A tagged command with its check.
  std::string send(std::vector<uint8_t> bytes, uint8_t dest, uint8_t tag, char letter = 'u') {
    bytes.push_back(dest);
    bytes.push_back(tag);
    std::string words;
    for (const uint8_t byte : bytes) words += std::to_string(byte) + ",";
    return say(words + std::to_string(Command::checkOf(bytes.data(), bytes.size())) + letter);
  }
};

// Without number and check, which test_lines.cpp looks at.
std::string bare(std::string text) {
  std::string all;
  for (size_t end; (end = text.find("\r\n")) != std::string::npos; text.erase(0, end + 2)) {
    const std::string line = text.substr(0, end);
    all += line.substr(0, line.rfind(" #")) + "|";
  }
  return all;
}

}  // namespace

TEST(gateway_boots_as_rf12demo, "At the start a gateway says what RF12demo says, help and configuration included") {
  Board board;
  Gateway<Board> gateway(board);
  gateway.begin(1, 0);
  for (uint16_t ms = 0; ms < 100; ++ms) gateway.poll(ms);
  const std::string said = board.host.said();
  EQUAL(0, said.find("\r\n[RF12demo.12+hearth.1] ^ i30 g212 @ 868 MHz q1\r\nAvailable commands:\r\n"));
  CHECK(said.find("Current configuration:\r\n ^ i30 g212 @ 868 MHz q1\r\n") != std::string::npos);
  CHECK(said.find('#') == std::string::npos);
}

TEST(gateway_sends_as_rf12demo, "`s` and `a` are echoed and sent once, and the length is told when they go") {
  Bench bench(false);
  TEXT("> 0,255,128,64,0,0,1s\r\n", bench.say("0,255,128,64,0,0,1s").c_str());
  TEXT(" -> 6 b\r\n", bench.pass(3).c_str());
  EQUAL(0x41, bench.board.radio.sent.at(0).header);
  bench.say("7,0a");
  bench.pass(300);
  EQUAL(2, bench.board.radio.sent.size());
  EQUAL(kWantsAck | 30, bench.board.radio.sent.at(1).header);
}

TEST(gateway_hearth_answers, "`1h` is answered with what the gateway is, and what was wrong with its settings") {
  Bench bench(false);
  TEXT("# hearth 1 fw=1.0 radio=fake reset=2 queue=4|! settings missing, defaults in use|", bare(bench.say("1h")).c_str());
  TEXT("# hearth 1 fw=1.0 radio=fake reset=2 queue=4|", bare(bench.say("1h")).c_str());
  bench.say("0h");
  TEXT(" ^ i30* g212 @ 868 MHz c1 q1\r\n", bench.say("1c").c_str());
}

TEST(gateway_tells_a_bad_copy, "A mended copy of the settings is told once a host asks") {
  Bench before;
  before.say("7i");
  Board board;
  board.eeprom = before.board.eeprom;
  board.eeprom.cells[3] ^= 1;
  Gateway<Board> gateway(board);
  gateway.begin(1, 0);
  board.host.said();
  for (const char letter : std::string("1h")) gateway.hear(letter, 1);
  TEXT("# hearth 1 fw=1.0 radio=fake reset=1 queue=4|! settings copy A was bad|", bare(board.host.said()).c_str());
}

TEST(gateway_delivers, "A tagged packet is queued, sent, and reported with the payload of its ack") {
  Bench bench;
  TEXT("Q 9|", bare(bench.send({0x51, 30, 7, 1}, 2, 9)).c_str());
  TEXT("", bench.pass(3).c_str());
  EQUAL(kAddressed | kWantsAck | 2, bench.board.radio.sent.at(0).header);
  bench.board.radio.hear(kControl | 2, {kAck, 2, 7, 0});
  TEXT("ACK 9 2 1 241 2 7 0|", bare(bench.pass(2)).c_str());
  TEXT("", bench.pass(500).c_str());
  EQUAL(1, bench.board.radio.sent.size());
}

TEST(gateway_gives_up_aloud, "A packet nobody acks is tried eight times and reported, and the next one follows") {
  Bench bench;
  bench.send({1}, 3, 1);
  bench.send({2}, 4, 2);
  TEXT("NAK 1 3 8|NAK 2 4 8|", bare(bench.pass(3000)).c_str());
  EQUAL(16, bench.board.radio.sent.size());
}

TEST(gateway_sends_once, "`n`, and anything to all, goes once and is SENT") {
  Bench bench;
  bench.send({1}, 3, 5, 'n');
  bench.send({1}, 0, 6);
  TEXT("SENT 5|SENT 6|", bare(bench.pass(100)).c_str());
  EQUAL(kAddressed | 3, bench.board.radio.sent.at(0).header);
  EQUAL(30, bench.board.radio.sent.at(1).header);
}

TEST(gateway_refuses, "What cannot be sent is refused at once, with its tag and the reason") {
  Bench bench;
  TEXT("BAD 9 check|", bare(bench.say("1,2,9,77u")).c_str());
  TEXT("BAD 0 check|", bare(bench.say("u")).c_str());
  TEXT("BAD 9 dest|", bare(bench.send({1}, 31, 9)).c_str());
  TEXT("BAD 9 length|", bare(bench.send(std::vector<uint8_t>(67, 1), 2, 9)).c_str());
  TEXT("BAD 9 check|", bare(bench.send(std::vector<uint8_t>(80, 1), 2, 9)).c_str());
  for (uint8_t tag = 1; tag <= 4; ++tag) bench.send({1}, 2, tag);
  TEXT("BAD 5 full|", bare(bench.send({1}, 2, 5)).c_str());
}

TEST(gateway_keeps_the_duty_cycle, "When the hour's air time is used up packets are refused, and taken again later") {
  Bench bench;
  int sent = 0;
  while (bare(bench.send(std::vector<uint8_t>(66, 1), 0, 1)) == "Q 1|") {
    bench.pass(20);
    ++sent;
  }
  CHECK(sent > 2700 && sent < 3000);
  TEXT("BAD 1 duty|", bare(bench.send(std::vector<uint8_t>(66, 1), 0, 1)).c_str());
  bench.pass(1400);
  TEXT("Q 1|", bare(bench.send(std::vector<uint8_t>(66, 1), 0, 1)).c_str());
}

TEST(gateway_keeps_the_duty_cycle_in_its_tries, "A packet that was queued is not tried beyond the duty cycle: it ends with NAK, and what the tries were") {
  Bench bench;
  const std::vector<uint8_t> full(66, 1);
  while (bare(bench.send(full, 0, 1)) == "Q 1|") bench.pass(20);
  bench.pass(1400);
  const size_t before = bench.board.radio.sent.size();
  TEXT("Q 7|", bare(bench.send(full, 2, 7)).c_str());
  TEXT("NAK 7 2 1|", bare(bench.pass(200)).c_str());
  EQUAL(before + 1, bench.board.radio.sent.size());
}

TEST(gateway_acks, "Who wants an ack gets one, ours with its sequence, strangers an empty one, others' packets none") {
  const struct { uint8_t header; std::vector<uint8_t> payload; int ack; size_t length; } rows[] = {
      {kWantsAck | 5, {kMotion, 5, 9, 1, 0, 2, 128, 12, 0}, kControl | kAddressed | 5, 4},
      {kWantsAck | 5, {162, 199, 225, 0}, kControl | kAddressed | 5, 0},
      {kWantsAck | 5, {kMotion, 6, 9, 1, 0, 2, 128, 12, 0}, kControl | kAddressed | 5, 0},
      {kAddressed | kWantsAck | 30, {1}, kControl | 30, 0},
      {kAddressed | kWantsAck | 7, {1}, -1, 0},
      {5, {1}, -1, 0},
      {kControl | kAddressed | 5, {}, -1, 0},
  };
  for (const auto& row : rows) {
    Bench bench;
    bench.board.radio.hear(row.header, row.payload);
    bench.pass(2);
    EQUAL(row.ack >= 0, bench.board.radio.sent.size());
    if (row.ack < 0) continue;
    EQUAL(row.ack, bench.board.radio.sent.at(0).header);
    EQUAL(row.length, bench.board.radio.sent.at(0).length);
    if (row.length) EQUAL(9, bench.board.radio.sent.at(0).payload[2]);
  }
  Bench collecting;
  collecting.say("1c");
  collecting.board.radio.hear(kWantsAck | 5, {1});
  TEXT("OK 37 1|", bare(collecting.pass(20)).c_str());
  EQUAL(0, collecting.board.radio.sent.size());
}

TEST(gateway_shows_what_it_hears, "Packets for all and for it are shown with ` -> ack`, others' not, bad ones unless quiet") {
  Bench bench;
  bench.board.radio.hear(37, {1, 2});
  bench.board.radio.hear(kAddressed | 9, {3});
  bench.board.radio.hear(5, {4}, false);
  TEXT("OK 37 1 2| -> ack|", bare(bench.pass(10)).c_str());
  bench.say("0q");
  bench.board.radio.hear(5, {4}, false);
  TEXT(" ? 5 4|", bare(bench.pass(10)).c_str());
  bench.say("31i");
  const size_t sent = bench.board.radio.sent.size();
  bench.board.radio.hear(kAddressed | kWantsAck | 9, {3});
  TEXT("OK 105 3|", bare(bench.pass(10)).c_str());
  EQUAL(sent, bench.board.radio.sent.size());  // to hear is not to answer for another
}

TEST(gateway_waits_for_its_line, "With a full line nothing is lost: the ack goes at once, the packet is shown when there is room") {
  Bench bench;
  bench.board.host.space = 100;
  bench.board.radio.hear(37, {1, 2});
  TEXT("", bench.pass(50).c_str());
  EQUAL(1, bench.board.radio.sent.size());
  bench.board.host.space = 511;
  TEXT("OK 37 1 2| -> ack|", bare(bench.pass(2)).c_str());
}

TEST(gateway_settings_last, "Settings come back after a restart; those beyond their bounds are not taken") {
  Bench bench;
  bench.say("7i 33g 4b 1700o 1q 2x");
  bench.say("99i 255g 5b 50o 4000o");
  Board board;
  board.eeprom = bench.board.eeprom;
  Gateway<Board> gateway(board);
  gateway.begin(1, 0);
  EQUAL(0, board.host.said().find("\r\n[RF12demo.12+hearth.1] G i7 g33 @ 433 MHz o1700 q1 x2\r\n"));
  EQUAL(33, board.radio.channel.group);
}

TEST(gateway_survives_garbage, "Any letters at any time: every line is whole, and afterwards a packet is delivered") {
  Random random(42);
  Bench bench;
  for (int round = 0; round < 30000; ++round) {
    const char letter = random.next();
    if (letter == 'z' || letter == 'h') continue;
    bench.say(std::string(1, letter));
    if (round % 7 == 0) bench.board.radio.hear(random.next(), {uint8_t(random.next()), 1, 2}, random.next() & 1);
    bench.pass(1);
  }
  bench.say("\n30i 212g 8b 0c 0x");
  bench.pass(60000);
  bench.pass(60000);
  bench.board.radio.heard.clear();
  bench.pass(10);
  TEXT("Q 9|", bare(bench.send({1}, 2, 9)).c_str());
  bench.pass(3);
  bench.board.radio.hear(kControl | 2, {});
  TEXT("ACK 9 2 1|", bare(bench.pass(2)).c_str());
}

TEST(gateway_speaks_elsewhere, "`>` sends once in another group, and the gateway is back in its own") {
  Bench bench;
  bench.say("8,33,9,0,1,2,3>");
  EQUAL(33, bench.board.radio.sent.at(0).group);
  EQUAL(9, bench.board.radio.sent.at(0).header);
  EQUAL(3, bench.board.radio.sent.at(0).length);
  EQUAL(212, bench.board.radio.channel.group);
  for (int packet = 0; packet < 18000; ++packet) {  // 36 s on the air, in no time
    bench.board.clock = bench.ms;
    bench.say("8,33,9,0,1>");
  }
  TEXT("BAD 1 duty|", bare(bench.send({1}, 2, 1)).c_str());
}

TEST(gateway_reports_the_radio, "A radio that had to be set up anew, and letters lost, are told in hearth mode only") {
  Bench bench;
  bench.gateway.restarted(Health::kSilent);
  bench.gateway.restarted(Health::kPowerReset);
  bench.gateway.restarted(Health::kFine);
  bench.gateway.overrun();
  TEXT("! radio restarted silent|! radio restarted por|! line overrun|", bare(bench.board.host.said()).c_str());
  Bench stock(false);
  stock.gateway.restarted(Health::kSilent);
  TEXT("", stock.board.host.said().c_str());
}

TEST(gateway_small_commands, "LED, power-down with its key, version and help do what RF12demo's do") {
  Bench bench(false);
  bench.say("1l");
  CHECK(bench.board.lit);
  bench.say("5z");
  CHECK(!bench.board.down);
  TEXT(" Zzz...\r\n", bench.say("123z").c_str());
  CHECK(bench.board.down);
  TEXT("[RF12demo.12+hearth.1] ^ i30 g212 @ 868 MHz q1\r\n", bench.say("v").c_str());
  bench.say("1,2u");
  EQUAL(0, bench.pass(50).find("Available commands:"));
  TEXT("test 0\r\n", bench.say("t").c_str());
  bench.pass(3);
  EQUAL(66, bench.board.radio.sent.at(0).length);
}
