// What every node does over the radio: its packets, its acks, its settings.
#include <hearth/node.h>

#include "check.h"
#include "node_board.h"

using namespace hearth;

namespace {

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
  bench.pass(70);
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

TEST(node_obeys_news_with_an_old_number, "A house whose numbers come round, or begin anew, is obeyed: only the very same packet is a repeat") {
  Bench bench;
  std::vector<uint8_t> light = kSomeLight;
  for (int packet = 1; packet < 600; ++packet) {
    light[4] = packet;
    light[2] = packet / 2;  // each number twice, and all of them more than once
    EQUAL(kDone, bench.hear(Bench::kToMe, light));
    EQUAL(packet, bench.wishes);
  }
}

TEST(node_staggers_what_nobody_acks, "Nodes that report in the same millisecond do not go on doing so; what is acked goes at once") {
  Bench one, other;
  other.node.begin(8, 8, 40, 0);
  int together = 0;
  for (int report = 0; report < 100; ++report) {
    uint16_t sent_at[2];
    for (Bench* bench : {&one, &other}) {
      const size_t before = bench->board.radio.sent.size();
      const uint16_t from = bench->ms;
      bench->node.send(kRoom, Room{}, false, bench->ms);
      while (bench->board.radio.sent.size() == before) bench->pass(1);
      sent_at[bench == &other] = bench->ms - from;
      bench->pass(300 - (bench->ms - from));
    }
    CHECK(sent_at[0] <= 64 && sent_at[1] <= 64);
    together += sent_at[0] == sent_at[1];
  }
  CHECK(together < 10);
  const size_t before = one.board.radio.sent.size();
  one.node.send(kMotion, Motion{}, true, one.ms);
  one.pass(1);
  EQUAL(before + 1, one.board.radio.sent.size());
}

TEST(node_stages_upon_a_commit, "A change that comes between a commit and its coming into force is a change of what was committed") {
  Bench bench;
  Settings wanted = factorySettings(7);
  wanted.report = 60;
  EQUAL(kDone, bench.set(1, kReportKey, 60));
  EQUAL(kDone, bench.commit(2, wanted.check()));
  EQUAL(kDone, bench.set(3, kHoldKey, 9));
  bench.pass(600);
  EQUAL(60, bench.node.settings().report);
  wanted.hold = 9;
  EQUAL(kDone, bench.commit(4, wanted.check()));
  bench.pass(600);
  EQUAL(9, bench.node.settings().hold);
  EQUAL(60, bench.node.settings().report);
}

TEST(node_is_not_talked_into_things, "What is for others is ignored; to all only wishes count, and nobody acks them") {
  Bench bench;
  EQUAL(-1, bench.hear(kAddressed | kWantsAck | 8, kSomeLight));
  EQUAL(-1, bench.hear(kControl | 7, kSomeLight));
  EQUAL(-1, bench.hear(kWantsAck | 5, {kMotion, 5, 9, 1, 0, 2, 128, 12, 0}));
  Settings wanted = factorySettings(9);
  EQUAL(-1, bench.hear(kWantsAck | 30, {kSet, 30, 9, kIdKey, 9, 0}));
  EQUAL(-1, bench.hear(kWantsAck | 30, {kCommit, 30, 10, uint8_t(wanted.check()), uint8_t(wanted.check() >> 8)}));
  CHECK(!bench.node.busy());
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
