// Thin: receives and prints, takes RF12demo's `s`.
#include <Hearth.h>
#include <jeenode/radio.h>

hearth::Radio radio;
hearth::Frame frame, out;
uint8_t stack[70], top, value;
bool pending;

void setup() {
  Serial.begin(57600);
  Serial.print(F("\r\n[RF12demo.12+hearth.1] ^ i30 g212 @ 868 MHz\r\n"));
  radio.begin({8, 212, 1600});
}

void loop() {
  if (pending && radio.send(out)) {
    pending = false;
    Serial.print(F(" -> "));
    Serial.print(out.length);
    Serial.println(F(" b"));
  }
  if (radio.receive(frame) && frame.sound && hearth::isFor(frame, 30)) {
    Serial.print(F("OK "));
    Serial.print(frame.header);
    for (uint8_t i = 0; i < frame.length; ++i) {
      Serial.print(' ');
      Serial.print(frame.payload[i]);
    }
    Serial.println();
  }
  if (!Serial.available()) return;
  const char c = Serial.read();
  if (c >= '0' && c <= '9') {
    value = value * 10 + (c - '0');
    return;
  }
  if (c == ',') {
    if (top < sizeof stack) stack[top++] = value;
  } else {
    if (c == 's') {
      out.group = 212;
      out.header = value ? hearth::kAddressed | value : 30;
      out.length = top;
      memcpy(out.payload, stack, top);
      pending = true;
    }
    top = 0;
  }
  value = 0;
}
