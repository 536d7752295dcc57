// Thin: takes a light packet, drives the pins.
#include <Hearth.h>
#include <jeenode/radio.h>

hearth::Radio radio;
hearth::Frame frame, answer;

void setup() { radio.begin({8, 212, 1600}); }

void loop() {
  if (!radio.receive(frame) || !frame.sound || !hearth::isFor(frame, 1)) return;
  hearth::Light light;
  memcpy(&light, frame.payload, sizeof light);
  if (light.opening.type != hearth::kLight || frame.length != sizeof light) return;
  analogWrite(6, light.red);
  analogWrite(9, light.green);
  analogWrite(5, light.blue);
  if (!frame.wantsAck()) return;
  const hearth::Ack ack = {{hearth::kAck, 1, light.opening.sequence}, hearth::kDone};
  answer.group = 212;
  answer.header = hearth::ackHeader(frame, 1);
  answer.length = sizeof ack;
  memcpy(answer.payload, &ack, sizeof ack);
  while (!radio.send(answer)) {
  }
}
