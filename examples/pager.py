# SPDX-License-Identifier: LGPL-2.1-or-later
"""pager.py machvm.yaml FILE SOCKET: FILE is a memory object for whoever connects to SOCKET."""
import array, fcntl, os, select, socket, struct, sys
from lib.ynl import NlMsg, YnlFamily

def ioctl(fd, number, layout, *fields):
    data = bytearray(struct.pack(layout, struct.calcsize(layout), *fields))
    if fcntl.ioctl(fd, 3 << 30 | len(data) << 16 | ord("M") << 8 | number, data):
        raise OSError(f"machvm refuses ioctl {number:#x}")
    return struct.unpack(layout, data)

family = YnlFamily(sys.argv[1], "")
family.sock.bind((0, 0))
file, size = os.open(sys.argv[2], os.O_RDWR), os.path.getsize(sys.argv[2])
_, shown, control, _, _ = ioctl(os.open("/dev/machvm", os.O_RDWR), 0x20, "IiiIQ", 0, 0, 0, 0)
ioctl(control, 0x40, "IiIIQ", family.sock.fileno(), 0, 0, 0)
pages = array.array("B", bytes(32 * 4096))  # one data-return is for no more

def say(name, to, attributes):
    attributes |= {"object": to["object"], "epoch": to["epoch"]}
    family.sock.send(family._encode_message(family.ops[name], attributes, [], 1))

def hear(name, msg):
    at, n = msg.get("offset"), msg.get("length")
    if name == "init":
        say("ready", msg, {"may-cache": 0, "copy-strategy": 2})
    elif name == "data-request":
        say("data-supply", msg, {"offset": at, "data": os.pread(file, n, at).ljust(n, b"\0")})
    elif name == "data-return":
        ioctl(control, 0x42, "IIQQQ", 0, at, n, pages.buffer_info()[0])
        os.pwrite(file, pages[:max(0, min(n, size - at))], at)
        ioctl(control, 0x44, "IIQQQ", 0, at, n, 0)

server = socket.create_server(sys.argv[3], family=socket.AF_UNIX)
while ready := select.select([server, family.sock], [], [])[0]:
    if server in ready:
        socket.send_fds(server.accept()[0], [b"M" + struct.pack("Q", size)], [shown])
    elif not (message := NlMsg(family.sock.recv(1 << 16), 0)).done:  # done is the ack of an answer
        family.handle_ntf(family.nlproto.decode(family, message, None))
        hear(**family.async_msg_queue.pop())
