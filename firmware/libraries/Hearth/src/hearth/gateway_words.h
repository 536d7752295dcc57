// What a gateway says that is the same every time: RF12demo's words, and ours.
//
// Knows texts. Does not know when they are said.
#pragma once

#include "flash.h"

namespace hearth {

const char kBanner[] HEARTH_FLASH = "[RF12demo.12+hearth.1]";
const char kCurrent[] HEARTH_FLASH = "Current configuration:";
const char kOk[] HEARTH_FLASH = "OK";
const char kBadFrame[] HEARTH_FLASH = " ?";
const char kAscii[] HEARTH_FLASH = "ASC ";
const char kAckGiven[] HEARTH_FLASH = " -> ack";
const char kArrow[] HEARTH_FLASH = " -> ";
const char kEcho[] HEARTH_FLASH = "> ";
const char kTest[] HEARTH_FLASH = "test ";
const char kSleepy[] HEARTH_FLASH = " Zzz...";

const char kHearthOff[] HEARTH_FLASH = "# hearth 0";
const char kHearthOn[] HEARTH_FLASH = "# hearth 1 fw=";
const char kRadioIs[] HEARTH_FLASH = " radio=";
const char kResetIs[] HEARTH_FLASH = " reset=";
const char kQueueIs[] HEARTH_FLASH = " queue=";

const char kQueued[] HEARTH_FLASH = "Q ";
const char kAcked[] HEARTH_FLASH = "ACK ";
const char kNotAcked[] HEARTH_FLASH = "NAK ";
const char kSent[] HEARTH_FLASH = "SENT ";
const char kBad[] HEARTH_FLASH = "BAD ";
const char kBadCheck[] HEARTH_FLASH = " check";
const char kBadFull[] HEARTH_FLASH = " full";
const char kBadLength[] HEARTH_FLASH = " length";
const char kBadDest[] HEARTH_FLASH = " dest";
const char kBadDuty[] HEARTH_FLASH = " duty";

const char kRestartedSilent[] HEARTH_FLASH = "! radio restarted silent";
const char kRestartedPor[] HEARTH_FLASH = "! radio restarted por";
const char kCopyABad[] HEARTH_FLASH = "! settings copy A was bad";
const char kCopyBBad[] HEARTH_FLASH = "! settings copy B was bad";
const char kDefaults[] HEARTH_FLASH = "! settings missing, defaults in use";
const char kNotSaved[] HEARTH_FLASH = "! settings not saved";
const char kOverrun[] HEARTH_FLASH = "! line overrun";
const char kCrowded[] HEARTH_FLASH = "! queue full";
const char kUnknown[] HEARTH_FLASH = "! unknown command ";

const char kHelp[] HEARTH_FLASH =
    "Available commands:\n"
    "  <nn> i        node id, 1..31; 31 hears every node\n"
    "  <n> b         band: 4 = 433, 8 = 868, 9 = 915 MHz\n"
    "  <nnnn> o      frequency offset, 96..3903 (1600)\n"
    "  <nnn> g       net group, 1..212; 0 hears every group\n"
    "  <n> c         collect mode: 1 = never ack\n"
    "  ...,<nn> s    send the bytes to a node, 0 = all\n"
    "  ...,<nn> a    the same and ask for an ack\n"
    "  t             send a 66 byte test packet\n"
    "  <n> q         quiet: 1 = do not show bad packets\n"
    "  <n> x         show packets: 0 decimal, 1 hex, 2 hex and text\n"
    "  <n> l         activity LED\n"
    "  v             version and configuration\n"
    "  123 z         power down until reset\n"
    "  <band>,<group>,<node>,<header>,... >   send once in another group\n"
    "  <n> h         hearth mode: numbered and checked lines, and in it\n"
    "  ...,<nn>,<tag>,<check> u   send until acked: ACK or NAK\n"
    "  ...,<nn>,<tag>,<check> n   send once: SENT\n";

}  // namespace hearth
