// Chooses the radio when the sketch is compiled: the RFM12B, or with -DHEARTH_RADIO_RFM69 the RFM69.
//
// In the Arduino IDE, where flags cannot be given, the sketch defines it above its first #include.
#pragma once

#ifdef HEARTH_RADIO_RFM69
#include "rfm69.h"
#else
#include "rfm12b.h"
#endif
