// A packet's tries and its ack, the duty cycle, the queue.
#include <hearth/duty.h>
#include <hearth/exchange.h>
#include <hearth/send_queue.h>

#include "check.h"
#include "fakes.h"

using namespace hearth;

static Frame packet(uint8_t header, uint8_t sequence) {
  Frame frame = {};
  frame.group = 212;
  frame.header = header;
  frame.length = 5;
  frame.payload[0] = kCommit;
  frame.payload[2] = sequence;
  return frame;
}

static Frame ackOf(uint8_t header, bool empty, uint8_t sequence = 0) {
  Frame frame = {};
  frame.header = header;
  frame.sound = true;
  frame.length = empty ? 0 : 4;
  frame.payload[0] = kAck;
  frame.payload[2] = sequence;
  return frame;
}

// Run until it is over, or `ms` passed; the result, and how long it took.
static Exchange::Result run(Exchange& exchange, FakeRadio& radio, uint16_t& now, uint16_t ms, Random& random) {
  for (uint16_t passed = 0; passed < ms; ++passed, ++now) {
    const Exchange::Result result = exchange.poll(radio, now, random);
    if (result != Exchange::kNothing && result != Exchange::kStarted) return result;
  }
  return Exchange::kNothing;
}

TEST(exchange_tries_eight_times, "Without an ack a packet is sent eight times, unchanged, and then given up, at any time of the clock") {
  for (uint16_t now : {0, 65000}) {
    FakeRadio radio;
    Exchange exchange;
    Random random(5);
    const Frame frame = packet(kAddressed | kWantsAck | 2, 7);
    exchange.start(&frame, &kGatewayPatience, now);
    EQUAL(Exchange::kGaveUp, run(exchange, radio, now, 2000, random));
    EQUAL(8, radio.sent.size());
    EQUAL(8, exchange.tries());
    for (const Frame& sent : radio.sent) EQUAL(7, sent.payload[2]);
    CHECK(!exchange.running());
  }
}

TEST(exchange_pauses_at_random, "Two nodes that collided once do not go on colliding: their pauses differ") {
  FakeRadio a, b;
  Exchange first, second;
  Random one(11), two(12);
  const Frame frame = packet(kWantsAck | 2, 7);
  first.start(&frame, &kNodePatience, 0);
  second.start(&frame, &kNodePatience, 0);
  int together = 0;
  for (uint16_t now = 0; now < 2000; ++now) {
    const size_t before_a = a.sent.size(), before_b = b.sent.size();
    first.poll(a, now, one);
    second.poll(b, now, two);
    together += a.sent.size() != before_a && b.sent.size() != before_b;
  }
  EQUAL(8, a.sent.size());
  CHECK(together <= 2);
}

TEST(exchange_waits_for_the_air, "A taken channel is not talked over; taken for ever, the packet is given up") {
  FakeRadio radio;
  Exchange exchange;
  Random random(5);
  uint16_t now = 0;
  const Frame frame = packet(kWantsAck | 2, 7);
  exchange.start(&frame, &kNodePatience, now);
  radio.taken = true;
  EQUAL(Exchange::kNothing, run(exchange, radio, now, 40, random));
  radio.taken = false;
  EQUAL(Exchange::kNothing, run(exchange, radio, now, 10, random));
  EQUAL(1, radio.sent.size());
  radio.taken = true;
  EQUAL(Exchange::kGaveUp, run(exchange, radio, now, 3000, random));
  EQUAL(1, radio.sent.size());
}

TEST(exchange_takes_its_ack_only, "The ack must come from the right side, and if it names a packet, it must name this one") {
  const struct { uint8_t packet; uint8_t ack; bool empty; uint8_t sequence; bool taken; } cases[] = {
      {kAddressed | kWantsAck | 2, kControl | 2, true, 0, true},   // RF12's
      {kAddressed | kWantsAck | 2, kControl | 2, false, 7, true},  // ours
      {kAddressed | kWantsAck | 2, kControl | 2, false, 6, false},
      {kAddressed | kWantsAck | 2, kControl | 3, true, 0, false},
      {kAddressed | kWantsAck | 2, kControl | kAddressed | 2, true, 0, false},
      {kAddressed | kWantsAck | 2, 2, true, 0, false},
      {kWantsAck | 5, kControl | kAddressed | 5, true, 0, true},
      {kWantsAck | 5, kControl | kAddressed | 5, false, 7, true},
      {kWantsAck | 5, kControl | kAddressed | 6, true, 0, false},
  };
  for (const auto& row : cases) {
    FakeRadio radio;
    Exchange exchange;
    Random random(5);
    const Frame frame = packet(row.packet, 7);
    exchange.start(&frame, &kGatewayPatience, 0);
    CHECK(!exchange.takes(ackOf(row.ack, row.empty, row.sequence), 5));  // nothing sent yet
    EQUAL(Exchange::kStarted, exchange.poll(radio, 0, random));
    EQUAL(row.taken, exchange.takes(ackOf(row.ack, row.empty, row.sequence), 5));
    EQUAL(row.taken ? Exchange::kAcked : Exchange::kNothing, exchange.poll(radio, 1, random));
  }
}

TEST(exchange_takes_a_late_ack, "An ack that comes in the pause between two tries still counts") {
  FakeRadio radio;
  Exchange exchange;
  Random random(5);
  const Frame frame = packet(kAddressed | kWantsAck | 2, 7);
  exchange.start(&frame, &kGatewayPatience, 0);
  exchange.poll(radio, 0, random);
  EQUAL(Exchange::kNothing, exchange.poll(radio, 30, random));
  CHECK(exchange.takes(ackOf(kControl | 2, false, 7), 30));
  EQUAL(Exchange::kAcked, exchange.poll(radio, 31, random));
  EQUAL(1, radio.sent.size());
}

TEST(air_time_is_the_facts, "Air time is what the bit rate makes it: 2.1 ms for an empty packet, 12.8 ms for a full one") {
  EQUAL(2036, airTime(0));
  EQUAL(2686, airTime(4));
  EQUAL(12754, airTime(66));
}

TEST(duty_is_one_percent, "At 868 MHz an hour allows 36 s on the air beside the first 36 s, and not a packet more") {
  Duty duty;
  duty.start(8, 0);
  const uint32_t air = airTime(66);
  uint32_t sent = 0;
  for (uint32_t ms = 0; ms <= 3600000; ms += 5) {
    duty.refill(ms);
    if (!duty.affords(air)) continue;
    duty.spend(air);
    sent += air;
  }
  CHECK(sent <= 72000000);
  CHECK(sent > 71900000);
}

TEST(duty_by_band, "433 MHz allows ten times as much, 915 MHz anything; a bucket never holds more than 36 s") {
  Duty duty;
  duty.start(4, 0);
  duty.spend(Duty::kFull);
  duty.refill(1000);
  EQUAL(100000, duty.left());
  duty.start(9, 0);
  for (int packet = 0; packet < 100000; ++packet) {
    CHECK(duty.affords(airTime(66)));
    duty.spend(airTime(66));
  }
  duty.start(8, 0);
  duty.refill(60000);
  EQUAL(Duty::kFull, duty.left());
}

TEST(queue_is_first_in_first_out, "Four packets fit, they come out in their order, and there is always room for the next") {
  SendQueue queue;
  uint8_t in = 0, out = 0;
  Random random(9);
  for (int step = 0; step < 5000; ++step) {
    if (random.next() & 1 && !queue.full()) queue.add().tag = in++;
    if (random.next() & 1 && !queue.empty()) {
      EQUAL(out++, queue.first().tag);
      queue.removeFirst();
    }
    EQUAL(uint8_t(in - out), queue.count());
    CHECK(queue.count() <= 4);
  }
}
