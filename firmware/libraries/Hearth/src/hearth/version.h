// The firmware's version, told in every announce and by the gateway.
#pragma once

#include <stdint.h>

namespace hearth {

constexpr uint8_t kMajor = 1;
constexpr uint8_t kMinor = 0;

}  // namespace hearth
