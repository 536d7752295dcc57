// The library's front door: an Arduino sketch includes this first, then the chapters it uses.
//
//   hearth/   the logic of the nodes: plain C++11, no Arduino, no AVR; the same headers are tested on a PC
//   jeenode/  the board: radio, serial port, sleep, pins of an ATmega328P at 16 MHz
#pragma once

#include "hearth/crc.h"
#include "hearth/frame.h"
#include "hearth/payload.h"
#include "hearth/radio.h"
