// A gateway: RF12demo's commands and answers, and hearth mode above them.
//
// Knows what each letter from the host does. Does not know serial ports or radios: `Board` has radio, host and eeprom
// as in relay.h, and led(on), powerDown(), now().
#pragma once

#include "command_reader.h"
#include "config_line.h"
#include "relay.h"
#include "settings_store.h"
#include "version.h"

namespace hearth {

template <class Board>
class Gateway {
 public:
  explicit Gateway(Board& board) : board_(board), store_(board.eeprom), lines_(board.host), relay_(board, lines_) {}

  // `reset` is the board's MCUSR: why it started.
  void begin(uint8_t reset, uint16_t now) {
    reset_ = reset;
    settings_ = factorySettings(kGatewayId);
    found_ = store_.load(settings_);
    flags_ = store_.flags(kQuietFlag);
    relay_.begin(settings_, flags_, now);
    lines_.end();
    describe();
    help_ = kHelp;
  }

  // Whether the processor may sleep until the next interrupt. Not while sending: an ack may follow in 0.4 ms, and a
  // radio that is asked rather than asking (RFM69) must listen by then.
  bool idle() { return !relay_.busy() && !board_.radio.sending(); }

  // Whether there is room on the line for what a letter may cause to be said.
  bool ready() const { return board_.host.room() >= Relay<Board>::kLineRoom; }

  void poll(uint16_t now) {
    relay_.poll(now);
    if (help_ != nullptr && ready()) helpLine();
  }

  void hear(char letter, uint16_t now) {
    if (reader_.feed(letter)) obey(reader_.command(), now);
  }

  void restarted(Health health) {
    if (health == Health::kSilent) remark(kRestartedSilent);
    if (health == Health::kPowerReset) remark(kRestartedPor);
  }

  // Letters were lost between the host and us; where, the reader is told by kGap.
  void overrun() { remark(kOverrun); }

 private:
  void obey(const Command& command, uint16_t now) {
    switch (command.letter) {
      case 'i': set(kIdKey, command.value, now); break;
      case 'b': set(kBandKey, command.value, now); break;
      case 'o': set(kOffsetKey, command.value, now); break;
      case 'g': set(kGroupKey, command.value, now); break;
      case 'c': flag(kCollectFlag, command.value ? kCollectFlag : 0); break;
      case 'q': flag(kQuietFlag, command.value ? kQuietFlag : 0); break;
      case 'x': flag(kHexFlags, command.value > 2 ? 0 : command.value); break;
      case 's': case 'a': sendPlain(command); break;
      case 't': sendTest(); break;
      case '>': sendElsewhere(command, now); break;
      case 'l': board_.led(command.value); break;
      case 'v': describe(); break;
      case 'z':
        if (command.value == 123) sleep();
        break;
      case 'h': hearthMode(command.value); break;
      case 'u': case 'n':
        if (lines_.numbering()) {
          sendTagged(command);
          break;
        }
        // fall through
      default: unknown(command.letter);
    }
  }

  // A gateway's own bounds are RF12demo's: id 31 and group 0 are allowed to it.
  void set(uint8_t key, uint16_t value, uint16_t now) {
    Settings changed = settings_;
    if (key == kIdKey) changed.id = value > 31 ? 0 : value;
    if (key == kGroupKey) changed.group = value > 250 ? 251 : value;
    if (key == kOffsetKey) changed.offset = value;
    if (key == kBandKey) {
      changed.band = value > 9 ? 0 : value;
      changed.offset = kUsualOffset;
    }
    if (plausible(changed)) {
      settings_ = changed;
      if (!store_.save(settings_)) remark(kNotSaved);
      relay_.begin(settings_, flags_, now);
    }
    if (key == kOffsetKey) printFrequency(lines_, settings_);
    configuration();
  }

  void flag(uint8_t mask, uint8_t value) {
    flags_ = (flags_ & ~mask) | value;
    store_.saveFlags(flags_);
    relay_.flags(flags_);
    configuration();
  }

  // Letters to the node 0 go to all, with our id as the sender.
  uint8_t headerFor(uint8_t dest) const { return dest ? kAddressed | (dest & kNodeMask) : settings_.id; }

  void sendPlain(const Command& command) {
    lines_.text(kEcho);
    for (uint8_t i = 0; i < command.count; ++i) lines_.decimal(command.bytes[i]).letter(',');
    lines_.decimal(command.value).letter(command.letter).end();
    if (crowded()) return;
    Parcel& parcel = relay_.add();
    parcel.manner = Parcel::kStock;
    parcel.frame.header = headerFor(command.value) | (command.letter == 'a' ? kWantsAck : 0);
    fill(parcel.frame, command.bytes, command.count > kPayloadMax ? kPayloadMax : command.count);
  }

  // With a host that counts on answers nothing queued is overwritten.
  bool crowded() {
    if (!relay_.full() || !lines_.numbering()) return false;
    remark(kCrowded);
    return true;
  }

  void sendTest() {
    lines_.text(kTest).decimal(tests_).end();
    if (crowded()) return;
    Parcel& parcel = relay_.add();
    parcel.manner = Parcel::kStock;
    parcel.frame.header = headerFor(0) | kWantsAck;
    parcel.frame.length = kPayloadMax;
    for (uint8_t i = 0; i < kPayloadMax; ++i) parcel.frame.payload[i] = i + tests_;
    ++tests_;
  }

  // Once, in another group or band; RF12demo's remote control of other networks. No echo, as there.
  void sendElsewhere(const Command& command, uint16_t now) {
    if (command.count < 4 || command.too_many) return;
    const uint8_t band = command.bytes[0];
    const uint8_t header = command.bytes[3];
    Frame elsewhere;
    elsewhere.group = command.bytes[1];
    elsewhere.header = header & kAddressed ? header : (header & ~kNodeMask) | (command.bytes[2] & kNodeMask);
    fill(elsewhere, command.bytes + 4, command.count - 4);
    if (command.given && elsewhere.length < kPayloadMax) elsewhere.payload[elsewhere.length++] = command.value;
    board_.radio.begin({uint8_t(band > 3 ? band : band == 1 ? 4 : band == 2 ? 8 : 9), command.bytes[1], 1600});
    const uint16_t until = now + 60;  // ms: others may talk first, and 66 bytes take 13
    bool sent = false;
    while ((!sent || board_.radio.sending()) && int16_t(board_.now() - until) < 0) {
      if (!sent) sent = board_.radio.send(elsewhere);
    }
    if (sent) relay_.spend(elsewhere.length);
    relay_.begin(settings_, flags_, now);
  }

  void sendTagged(const Command& command) {
    if (!command.checked()) return bad(command, kBadCheck);
    if (command.count < 2 || command.too_many || command.count - 2 > kPayloadMax) return bad(command, kBadLength);
    const uint8_t dest = command.bytes[command.count - 2];
    const uint8_t length = command.count - 2;
    if (dest > 30) return bad(command, kBadDest);
    if (relay_.full()) return bad(command, kBadFull);
    if (!relay_.affords(length)) return bad(command, kBadDuty);
    Parcel& parcel = relay_.add();
    const bool insist = command.letter == 'u' && dest != 0;
    parcel.manner = insist ? Parcel::kInsistent : Parcel::kOnce;
    parcel.tag = command.bytes[command.count - 1];
    parcel.frame.header = headerFor(dest) | (insist ? kWantsAck : 0);
    fill(parcel.frame, command.bytes, length);
    lines_.text(kQueued).decimal(parcel.tag).end();
  }

  void bad(const Command& command, const char* why) {
    lines_.text(kBad).decimal(command.count ? command.bytes[command.count - 1] : 0).text(why).end();
  }

  static void fill(Frame& frame, const uint8_t* bytes, uint8_t count) {
    frame.length = count > kPayloadMax ? kPayloadMax : count;
    memcpy(frame.payload, bytes, frame.length);
  }

  void hearthMode(bool on) {
    if (!on) {
      lines_.text(kHearthOff).end();
      lines_.number(false);
      return;
    }
    help_ = nullptr;
    lines_.number(true);
    lines_.text(kHearthOn).decimal(kMajor).letter('.').decimal(kMinor).text(kRadioIs);
    lines_.text(decltype(Board::radio)::name()).text(kResetIs).decimal(reset_);
    lines_.text(kQueueIs).decimal(kQueueLength).end();
    if (found_ & kDefaultsInUse) remark(kDefaults);
    if (!(found_ & (kDefaultsInUse | kCopyASound))) remark(kCopyABad);
    if (!(found_ & (kDefaultsInUse | kCopyBSound))) remark(kCopyBBad);
    found_ = kCopyASound | kCopyBSound;
  }

  // Said without being asked, and only to a host that knows hearth mode.
  void remark(const char* text) {
    if (lines_.numbering()) lines_.text(text).end();
  }

  void unknown(char letter) {
    if (lines_.numbering()) {
      lines_.text(kUnknown).letter(letter).end();
    } else if (help_ == nullptr) {
      help_ = kHelp;
    }
  }

  void helpLine() {
    while (const char letter = flashByte(help_++)) {
      if (letter == '\n') {
        lines_.end();
        return;
      }
      lines_.letter(letter);
    }
    help_ = nullptr;
    lines_.text(kCurrent).end();
    configuration();
  }

  void describe() {
    lines_.text(kBanner);
    configuration();
  }

  void configuration() {
    printConfig(lines_, settings_, flags_);
    lines_.end();
  }

  void sleep() {
    lines_.text(kSleepy).end();
    board_.powerDown();
  }

  Board& board_;
  SettingsStore<decltype(Board::eeprom)> store_;
  LineWriter<decltype(Board::host)> lines_;
  Relay<Board> relay_;
  CommandReader reader_;
  Settings settings_;
  const char* help_ = nullptr;
  uint8_t flags_ = kQuietFlag;
  uint8_t reset_ = 0;
  uint8_t found_ = 0;
  uint8_t tests_ = 0;
};

}  // namespace hearth
