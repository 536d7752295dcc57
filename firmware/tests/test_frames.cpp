// Frames put together from whatever comes out of a radio, and the rules of their headers.
#include <hearth/frame.h>
#include <hearth/random.h>

#include "check.h"
#include "fakes.h"

using namespace hearth;

static std::vector<uint8_t> airOf(uint8_t header, std::vector<uint8_t> payload) {
  FakeRadio radio;
  radio.hear(header, payload);
  uint8_t air[kFrameMax];
  const uint8_t count = encodeFrame(radio.heard.front(), air);
  return std::vector<uint8_t>(air, air + count);
}

TEST(frame_with_any_wrong_byte_is_unsound, "No single byte of a frame can be another without the check telling") {
  const std::vector<uint8_t> air = airOf(37, {kMotion, 5, 9, 1, 0, 2, 128, 12, 0});
  for (size_t at = 1; at < air.size(); ++at) {
    for (int change = 1; change < 256; ++change) {
      FrameReader reader;
      reader.start(air[0]);
      bool done = false;
      for (size_t i = 1; i < air.size() + 66 && !done; ++i) done = reader.feed(i < air.size() ? air[i] ^ (i == at ? change : 0) : 0xAA);
      CHECK(!done || !reader.frame().sound);
    }
  }
}

TEST(frame_of_impossible_length_ends_at_once, "A length above 66 ends the frame, unsound and empty") {
  for (int length = 67; length < 256; ++length) {
    FrameReader reader;
    reader.start(212);
    CHECK(reader.empty());
    CHECK(!reader.feed(37));
    CHECK(!reader.empty());
    CHECK(reader.feed(length));
    CHECK(!reader.frame().sound);
    EQUAL(0, reader.frame().length);
  }
}

TEST(frame_reader_eats_noise, "Noise of any kind never leads out of the frame, and the next frame is read right") {
  Random random(8);
  FrameReader reader;
  const std::vector<uint8_t> air = airOf(5, std::vector<uint8_t>(66, 7));
  for (int round = 0; round < 20000; ++round) {
    reader.start(round & 1 ? 212 : 0);
    for (int i = 0; i < 80 && !reader.feed(random.next()); ++i) CHECK(i < 72);
    CHECK(reader.frame().length <= kPayloadMax);
  }
  reader.start(212);
  for (size_t i = 1; i < air.size(); ++i) reader.feed(air[i]);
  CHECK(reader.frame().sound);
}

TEST(header_rules, "Who takes a frame, who must ack it, and with which header, are RF12's rules") {
  Frame frame = {};
  frame.header = kWantsAck | 5;
  CHECK(isFor(frame, 30) && isFor(frame, 5) && isFor(frame, 31));
  CHECK(frame.wantsAck());
  EQUAL(0xC5, ackHeader(frame, 30));
  frame.header = kAddressed | kWantsAck | 5;
  CHECK(!isFor(frame, 30) && isFor(frame, 5) && isFor(frame, 31));
  EQUAL(0x85, ackHeader(frame, 5));
  frame.header = kControl | kWantsAck | 5;
  CHECK(!frame.wantsAck());
}

TEST(one_wire_check_is_maxims, "The one-wire check of the example in Maxim's application note 27 is right") {
  const uint8_t serial[] = {0x02, 0x1C, 0xB8, 0x01, 0x00, 0x00, 0x00, 0xA2};
  EQUAL(0, crc8OneWire(serial, 8));
}
