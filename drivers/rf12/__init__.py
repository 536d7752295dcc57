"""RF12, the radio of JeeNodes: gateway lines, payloads, commands; bytes to frozen values and back, no I/O.

What stands where:

    drivers.fields           Packet, U8, U16, ...          packets as class bodies
    drivers.bits             CodecError, Reason            what is wrong with bytes, and the kinds of fields
    drivers.port             Port                          a serial device, socket://host:port or pty, for ever
    drivers.rf12.air         Header, Frame, crc16, crc8    what flies
    drivers.rf12.hearth      Room, Motion, Light, ...      payloads of our nodes: `decode(data)`, `value.encode()`
    drivers.rf12.stock       StockRoom, StockLed, ...      payloads of JeeLib's and OpenEnergyMonitor's sketches
    drivers.rf12.datacodes   Struct                        any struct, described as emonHub does: "b,h,h"
    drivers.rf12.values      Heard, Banner, Delivered, ... what a gateway's lines say
    drivers.rf12.lines       Lines                         `Lines().feed(chunk)` gives those values
    drivers.rf12.grammar     parse                         one line, without its end and its check
    drivers.rf12.commands    send, send_hearth, ...        the bytes of every command, from one table
    drivers.rf12.emonhub     read                          the sections of an emonhub.conf

How it is used:

    reader = Lines()
    async for event in port:
        if isinstance(event, Received):
            for value in reader.feed(event.data):
                match value:
                    case Heard(good=True, header=header, payload=payload):
                        ...  # hearth.decode(payload)
                    case Delivered(tag=tag, node=node, tries=tries):
                        ...
    await port.write(commands.send_hearth(light.encode(), node=2, tag=7))
"""
