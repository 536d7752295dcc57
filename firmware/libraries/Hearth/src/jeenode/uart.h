// The serial port of the gateway: 57600 8N1, a ring each way, and it says so when letters were lost.
//
// Knows letters, and says where some are missing. Does not know lines. Arduino's Serial is not used: it drops letters without a word and its rings are
// too small for the longest line. Include it once in a program: it owns the USART's vectors.
#pragma once

#include <avr/interrupt.h>
#include <avr/io.h>
#include <stdint.h>
#include <util/atomic.h>

#include "../hearth/command_reader.h"

namespace hearth {

class Uart {
 public:
  void begin() {
    active() = this;
    UCSR0A = _BV(U2X0);
    UBRR0 = F_CPU / 8 / 57600 - 1;  // 34 at 16 MHz: 57143 baud, 0.8 % off
    UCSR0C = _BV(UCSZ01) | _BV(UCSZ00);
    UCSR0B = _BV(RXEN0) | _BV(TXEN0) | _BV(RXCIE0);
  }

  // Letters that can be put without waiting.
  uint16_t room() const {
    uint16_t used;
    ATOMIC_BLOCK(ATOMIC_RESTORESTATE) { used = (put_at_ - sent_at_) & (kSendRing - 1); }
    return kSendRing - 1 - used;
  }

  void put(char letter) {
    while (room() == 0) {
    }
    sending_[put_at_] = letter;
    ATOMIC_BLOCK(ATOMIC_RESTORESTATE) { put_at_ = (put_at_ + 1) & (kSendRing - 1); }
    UCSR0B |= _BV(UDRIE0);
  }

  bool available() const { return heard_at_ != taken_at_; }

  char take() { return heard_[taken_at_++]; }

  // True once after letters were lost: the ring was full, or the USART was not read in time.
  bool overrun() {
    const bool lost = lost_;
    lost_ = false;
    return lost;
  }

  void onReceived() {
    const uint8_t status = UCSR0A;
    const uint8_t letter = UDR0;
    if (status & _BV(DOR0)) gap_ = true;
    if (gap_ && keep(kGap)) {
      gap_ = false;
      lost_ = true;
    }
    // Without a stop bit (another speed, a cable being plugged in) it is no letter.
    if (gap_ || !keep(status & _BV(FE0) ? '\n' : letter)) gap_ = true;
  }

  void onReadyToSend() {
    if (sent_at_ == put_at_) {
      UCSR0B &= ~_BV(UDRIE0);
      return;
    }
    UDR0 = sending_[sent_at_];
    sent_at_ = (sent_at_ + 1) & (kSendRing - 1);
  }

  static Uart*& active() {
    static Uart* uart = nullptr;
    return uart;
  }

 private:
  bool keep(uint8_t letter) {
    if (uint8_t(heard_at_ + 1) == taken_at_) return false;
    heard_[heard_at_++] = letter;
    return true;
  }

  static constexpr uint16_t kSendRing = 512;  // a power of two, for the index is masked

  volatile char heard_[256];  // as many as its index has values
  volatile char sending_[kSendRing];
  volatile uint16_t put_at_ = 0;
  volatile uint16_t sent_at_ = 0;
  volatile uint8_t heard_at_ = 0;
  volatile uint8_t taken_at_ = 0;
  volatile bool lost_ = false;
  bool gap_ = false;  // letters are missing after the last one kept
};

}  // namespace hearth

ISR(USART_RX_vect) { hearth::Uart::active()->onReceived(); }
ISR(USART_UDRE_vect) { hearth::Uart::active()->onReadyToSend(); }
