// Why the processor started (MCUSR, saved before anything clears it), and the watchdog off before it bites again.
//
// Knows boot loaders: Optiboot clears MCUSR and hands it over in r2. Does not know what a cause means to anyone.
// Include it once in a program: it runs before main().
#pragma once

#include <avr/io.h>
#include <avr/wdt.h>

namespace hearth {
extern "C" uint8_t hearth_reset_cause;
uint8_t hearth_reset_cause __attribute__((used, section(".noinit")));

// Memory that a reset leaves alone, and that holds anything after power-up: a different number at each start.
uint8_t starts __attribute__((section(".noinit")));
inline uint8_t nextStart() { return starts += 67; }
}  // namespace hearth

// .init3: the stack and r1 are set up, nothing else has run; naked, so r2 is still the boot loader's.
extern "C" void hearthSaveResetCause() __attribute__((naked, used, section(".init3")));
extern "C" void hearthSaveResetCause() {
  asm volatile(
      "in r24, %[mcusr]\n"
      "cpse r24, r1\n"
      "rjmp 1f\n"
      "mov r24, r2\n"
      "1: sts %[cause], r24\n" ::[mcusr] "I"(_SFR_IO_ADDR(MCUSR)), [cause] "i"(&hearth::hearth_reset_cause)
      : "r24");
  MCUSR = 0;
  wdt_disable();  // after a watchdog reset it stays on, at 16 ms
}
