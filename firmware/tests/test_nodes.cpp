// What every node does over the radio, and the room, thermometer and light nodes as a whole.
#include <hearth/led_node.h>
#include <hearth/onewire_node.h>
#include <hearth/room_node.h>

#include "check.h"
#include "fakes.h"

using namespace hearth;

namespace {

struct Clock {
  uint32_t ms = 0;
  int calibrated = 0;
  uint32_t now() const { return ms; }
  void calibrate() { ++calibrated; }
};

struct Strip {
  Levels levels = {{0, 0, 0}};
  void show(const Levels& to) { levels = to; }
};

struct Board {
  FakeRadio radio;
  FakeEeprom eeprom;
  FakeHost host;
  Clock clock;
  Strip strip;
  bool moving = false;
  int wakes = 0;
  std::vector<int16_t> celsius;

  bool motion() const { return moving; }
  uint16_t light() const { return 512; }
  uint16_t supply() const { return 3105; }
  Climate climate() const { return {2150, 4525}; }
  uint8_t measure() const { return celsius.size(); }
  int16_t temperature(uint8_t index) const { return index < celsius.size() ? celsius[index] : kNoTemperature; }
  uint16_t ms() const { return clock.ms; }
  void wakeRadio() { ++wakes; }
  template <class AnyNode>
  void converse(AnyNode& node, uint16_t listen) {
    for (uint16_t passed = 0; node.busy() || passed < listen; ++passed) {
      ++clock.ms;
      node.poll(clock.ms, clock.ms / 1000);
    }
  }
};

struct Bench {
  Board board;
  Node<Board> node{board, kLedKind, kLight};
  uint16_t ms = 0;
  int wishes = 0;

  Bench() { node.begin(7, 8, 40, 0); }

  void pass(uint16_t time) {
    while (time--) {
      ++ms;
      if (node.poll(ms, ms / 1000) != Node<Board>::kWished) continue;
      ++wishes;
      node.answer(kDone, ms);
    }
  }

  // The code of the ack that came back, or -1.
  int hear(uint8_t header, std::vector<uint8_t> payload) {
    const size_t before = board.radio.sent.size();
    board.radio.hear(header, payload);
    pass(2);
    if (board.radio.sent.size() == before) return -1;
    const Frame& ack = board.radio.sent.back();
    EQUAL(kControl | node.settings().id, ack.header);
    EQUAL(4, ack.length);
    EQUAL(payload.size() > 2 ? payload[2] : 0, ack.payload[2]);
    return ack.payload[3];
  }

  int set(uint8_t sequence, uint8_t key, uint16_t value) {
    return hear(kToMe, {kSet, 30, sequence, key, uint8_t(value), uint8_t(value >> 8)});
  }
  int commit(uint8_t sequence, uint16_t check) {
    return hear(kToMe, {kCommit, 30, sequence, uint8_t(check), uint8_t(check >> 8)});
  }

  static constexpr uint8_t kToMe = kAddressed | kWantsAck | 7;
};

const std::vector<uint8_t> kSomeLight = {kLight, 30, 1, 0, 255, 120, 20, 255, 0, 0};

}  // namespace

TEST(node_announces, "After a start a node says who it is until it is acked, and later ones tell no reset") {
  Bench bench;
  bench.node.announce(true, 0);
  bench.pass(3);
  const std::vector<uint8_t> first = {kAnnounce, 7, 40, kLedKind, 0, 1, 8, kDefaultsInUse, 0x05, 0x63};
  CHECK(first == bytesOf(bench.board.radio.sent.at(0)));
  EQUAL(kWantsAck | 7, bench.board.radio.sent.at(0).header);
  bench.board.radio.hear(kControl | kAddressed | 7, {});
  bench.pass(500);
  EQUAL(1, bench.board.radio.sent.size());
  bench.node.announce(false, bench.ms);
  bench.pass(3);
  EQUAL(0, bench.board.radio.sent.at(1).payload[6]);
  EQUAL(41, bench.board.radio.sent.at(1).payload[2]);
  EQUAL(7, bench.board.radio.sent.at(1).header);
}

TEST(node_counts_what_it_gave_up, "A packet nobody acks is sent eight times with one sequence number, and counted") {
  Bench bench;
  bench.node.send(kMotion, Motion{{}, 1, 2, 3, 4}, true, 0);
  bench.pass(3000);
  EQUAL(8, bench.board.radio.sent.size());
  for (const Frame& sent : bench.board.radio.sent) EQUAL(40, sent.payload[2]);
  EQUAL(1, bench.node.givenUp());
}

TEST(node_obeys_once, "A repeated wish is acked again and not done again; the next number is done") {
  Bench bench;
  std::vector<uint8_t> light = kSomeLight;
  EQUAL(kDone, bench.hear(Bench::kToMe, light));
  EQUAL(kDone, bench.hear(Bench::kToMe, light));
  EQUAL(1, bench.wishes);
  light[2] = 2;
  EQUAL(kDone, bench.hear(Bench::kToMe, light));
  EQUAL(2, bench.wishes);
}

TEST(node_is_not_talked_into_things, "What is for others is ignored; to all only wishes count, and nobody acks them") {
  Bench bench;
  EQUAL(-1, bench.hear(kAddressed | kWantsAck | 8, kSomeLight));
  EQUAL(-1, bench.hear(kControl | 7, kSomeLight));
  EQUAL(-1, bench.hear(kWantsAck | 5, {kMotion, 5, 9, 1, 0, 2, 128, 12, 0}));
  EQUAL(-1, bench.hear(kWantsAck | 30, {kSet, 30, 9, 1, 9, 0}));
  EQUAL(0, bench.wishes);
  EQUAL(-1, bench.hear(kWantsAck | 30, kSomeLight));
  EQUAL(1, bench.wishes);
}

TEST(node_refuses_with_a_reason, "Unknown types and versions, wrong lengths and bad values are acked with their codes") {
  Bench bench;
  EQUAL(kUnknownType, bench.hear(Bench::kToMe, {0, 255, 128, 64, 0, 0}));
  EQUAL(kUnknownType, bench.hear(Bench::kToMe, {0x52, 30, 1, 0, 255, 120, 20, 255, 0, 0}));
  EQUAL(kUnknownType, bench.hear(Bench::kToMe, {}));
  EQUAL(kBadValue, bench.hear(Bench::kToMe, {kLight, 30, 1, 0}));
  EQUAL(kBadValue, bench.set(1, kIdKey, 31));
  EQUAL(kBadValue, bench.set(2, 99, 1));
  EQUAL(kNotCommitted, bench.commit(3, 1));
}

TEST(node_takes_settings_over_the_air, "Set and commit change a node, which acks under its old id, then uses and announces the new") {
  Bench bench;
  Settings wanted = factorySettings(9);
  wanted.group = 33;
  EQUAL(kDone, bench.set(1, kIdKey, 9));
  EQUAL(kDone, bench.set(2, kGroupKey, 33));
  EQUAL(kDone, bench.commit(3, wanted.check()));
  EQUAL(kDone, bench.commit(3, wanted.check()));
  EQUAL(7, bench.node.settings().id);
  CHECK(bench.node.busy());
  bench.pass(600);
  EQUAL(9, bench.node.settings().id);
  EQUAL(33, bench.board.radio.channel.group);
  const Frame& news = bench.board.radio.sent.back();
  EQUAL(kAnnounce, news.payload[0]);
  EQUAL(9, news.header);
  EQUAL(kCopyASound | kCopyBSound, news.payload[7]);
  Settings stored = factorySettings(1);
  SettingsStore<FakeEeprom>(bench.board.eeprom).load(stored);
  EQUAL(wanted.check(), stored.check());
}

TEST(node_survives_any_packet, "Whatever comes over the air, a node goes on, within its bounds") {
  Bench bench;
  Random random(13);
  for (int round = 0; round < 50000; ++round) {
    std::vector<uint8_t> payload(random.next() % 67);
    for (uint8_t& byte : payload) byte = random.next();
    if (!payload.empty() && round & 1) {
      const uint8_t types[] = {kSet, kCommit, kLight, kAck, kAnnounce};
      payload[0] = types[random.next() % 5];
      payload.resize(lengthOf(payload[0]));
    }
    bench.board.radio.hear(round & 2 ? uint8_t(Bench::kToMe) : uint8_t(random.next()), payload, round & 12);
    bench.pass(1);
    CHECK(plausible(bench.node.settings()));
  }
}

TEST(room_tells_motion_both_ways, "Motion is told at once, its end after the hold time, also when the clock leaps") {
  Board board;
  RoomNode<Board> room(board);
  room.begin(1, 0, 0);
  room.poll();
  EQUAL(1, board.radio.sent.size());
  EQUAL(kRoom, board.radio.sent[0].payload[0]);
  const auto motions = [&] {
    std::string all;
    for (const Frame& frame : board.radio.sent) {
      if (frame.payload[0] == kMotion && (all.empty() || frame.payload[2] != uint8_t(all.back()))) {
        all += frame.payload[3] ? '+' : '-';
        all += frame.payload[2];
      }
    }
    std::string marks;
    for (size_t i = 0; i < all.size(); i += 2) marks += all[i];
    return marks;
  };
  board.moving = true;
  room.poll();
  TEXT("+", motions().c_str());
  board.clock.ms += 50000;
  room.poll();
  board.moving = false;
  board.clock.ms += 59000;
  room.poll();
  TEXT("+", motions().c_str());
  board.clock.ms += 1000;
  room.poll();
  TEXT("+-", motions().c_str());
  board.moving = true;
  board.clock.ms += 40000;  // roomNode missed this one: its hold-off clock stood still asleep
  room.poll();
  board.moving = false;
  board.clock.ms += 3600000;
  room.poll();
  TEXT("+-+-", motions().c_str());
}

TEST(motion_over_time_jumps, "Whatever the clock does, events alternate, and an end never comes before the hold time") {
  Random random(21);
  MotionWatch watch;
  uint32_t now = 0xFFFFF000, seen = now;
  bool moving = false;
  for (int step = 0; step < 100000; ++step) {
    now += random.next() % (random.next() % 8 ? 2000 : 60000);
    const bool active = random.next() % 4 == 0;
    if (active) seen = now;
    const MotionWatch::Event event = watch.look(active, now, 30);
    if (event == MotionWatch::kBegan) CHECK(active && !moving);
    if (event == MotionWatch::kEnded) CHECK(!active && moving && now - seen >= 30000);
    if (event == MotionWatch::kNone) CHECK(active ? moving : !moving || now - seen < 30000);
    moving = watch.moving();
  }
}

TEST(reports_do_not_drift, "A report is due once an interval however late it is looked at, and once after a long silence") {
  Every every;
  uint32_t now = 0xFFFFFF00;
  int due = 0;
  for (int tick = 0; tick < 3000000; ++tick, now += 1024) due += every.due(now, 300000);
  EQUAL(2999999LL * 1024 / 300000 + 1, due);
  now += 10000000;
  CHECK(every.due(now, 300000));
  CHECK(!every.due(now + 1000, 300000));
}

TEST(onewire_tells_each_sensor, "Each sensor has its packet and its index; with none the first is told missing") {
  Board board;
  OneWireNode<Board> node(board);
  board.celsius = {406, -5500, kNoTemperature};
  node.begin(1, 0, 0);
  node.poll();
  EQUAL(3, board.radio.sent.size());
  for (uint8_t i = 0; i < 3; ++i) EQUAL(i, board.radio.sent[i].payload[3]);
  const std::vector<uint8_t> second = {kTemperature, 4, 1, 1, 0x84, 0xEA, 0x21, 0x0C};
  CHECK(second == bytesOf(board.radio.sent[1]));
  board.celsius.clear();
  board.clock.ms += 300000;
  node.poll();
  EQUAL(4, board.radio.sent.size());
  EQUAL(0x80, board.radio.sent[3].payload[5]);
}

TEST(led_node_comes_back, "A light node shows what it is told, acks it, and after a power cut shows it again") {
  Board board;
  {
    LedNode<Board> node(board, "led_node");
    node.begin(1, 0, 0);
    for (uint32_t ms = 1; ms < 6000; ++ms) {
      if (ms == 3) board.radio.hear(kControl | kAddressed | 2, {});
      if (ms == 100) board.radio.hear(kAddressed | kWantsAck | 2, kSomeLight);
      node.poll(ms);
      if (ms == 120) CHECK((board.strip.levels == Levels{{65535, lightOf(120, 255), lightOf(20, 255)}}));
    }
    EQUAL(kControl | 2, board.radio.sent.back().header);
  }
  board.strip.levels = {{0, 0, 0}};
  LedNode<Board> again(board, "led_node");
  again.begin(1, 0, 0);
  for (uint32_t ms = 1; ms < 1100; ++ms) again.poll(ms);
  CHECK((board.strip.levels == Levels{{65535, lightOf(120, 255), lightOf(20, 255)}}));
}

TEST(led_node_stays_in_touch, "A light node says that it is there at each report time, and takes settings by its serial line") {
  Board board;
  LedNode<Board> node(board, "led_node");
  node.begin(1, 0, 0);
  board.host.typed = "60r9i";
  for (uint32_t ms = 1; ms < 200000; ++ms) {
    if (ms == 3) board.radio.hear(kControl | kAddressed | 9, {});
    node.poll(ms);
  }
  EQUAL(4, board.radio.sent.size());
  EQUAL(9, board.radio.sent.back().header);
  CHECK(board.host.said().find(" I i9 g212 @ 868 MHz r60 m60\r\n") != std::string::npos);
}
