"""RF12, the radio of JeeNodes: gateway lines, payloads, commands; bytes to frozen values and back, no I/O.

drivers.fields           Packet, CodecError            packets as class bodies
drivers.port             Port                          a serial device, socket://host:port or pty, for ever
drivers.rf12.air         Header, Frame, crc16, crc8    what flies
drivers.rf12.hearth      Room, Motion, Light, ...      payloads of our nodes: `decode(data)`, `value.encode()`
drivers.rf12.stock       StockRoom, StockLed, ...      payloads of JeeLib's and OpenEnergyMonitor's sketches
drivers.rf12.datacodes   Struct                        any struct, described as emonHub does: "b,h,h"
drivers.rf12.emonhub     read, convert                 an emonhub.conf as our configuration
drivers.rf12.lines       Lines, Heard, Banner, ...     `Lines().feed(chunk)` gives the values of a gateway's lines
drivers.rf12.commands    send, send_hearth, ...        the bytes of every command, from one table

reader = Lines()
for value in reader.feed(chunk):
    match value:
        case Heard(good=True, header=header, payload=payload):
            room = hearth.decode(payload)
        case Delivered(tag=tag, node=node, tries=tries):
            ...
port.write(commands.send_hearth(Light(...).encode(), node=2, tag=7))
"""
