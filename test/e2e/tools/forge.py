"""Sends UDP datagrams with forged source addresses (raw sockets, so root). Loopback destinations only.

usage: forge.py DST_IP:PORT RATE SECONDS SOURCE [FILE ...]
SOURCE: IP:PORT (always that one), or "random" (127.a.b.c, any port), or "random-in:127.9" (below that /16)
Without files, REGISTERs of many shapes and users are sent (FORGE_AGENT names their User-Agent). In files, nothing is
changed.
Prints one JSON line: {"sent": N, "bytes": N, "seconds": S}
"""
import json
import os
import random
import socket
import struct
import sys
import time

dst_ip, dst_port = sys.argv[1].rsplit(":", 1)
dst_port = int(dst_port)
rate, seconds, source, files = int(sys.argv[2]), float(sys.argv[3]), sys.argv[4], sys.argv[5:]
if not dst_ip.startswith("127."):
    sys.exit("forge.py only sends to loopback")

raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
payloads = [open(f, "rb").read() for f in files]
payloads = [p for p in payloads if 0 < len(p) < 60000]
rng = random.Random(7)
agent = os.environ.get("FORGE_AGENT", "")


def next_source():
    if source == "random":
        return f"127.{rng.randrange(2, 255)}.{rng.randrange(256)}.{rng.randrange(1, 255)}", rng.randrange(1024, 65535)
    if source.startswith("random-in:"):
        return f"{source[10:]}.{rng.randrange(256)}.{rng.randrange(1, 255)}", rng.randrange(1024, 65535)
    ip, port = source.rsplit(":", 1)
    return ip, int(port)


def register(ip, port, n):
    user = rng.choice([str(rng.randrange(100, 99999)), "u%d" % rng.randrange(10**6)])
    return (
        f"REGISTER sip:{dst_ip} SIP/2.0\r\nVia: SIP/2.0/UDP {ip}:{port};branch=z9hG4bK{rng.randrange(10**12)};rport\r\n"
        f"Max-Forwards: 70\r\nFrom: <sip:{user}@{dst_ip}>;tag={rng.randrange(10**9)}\r\nTo: <sip:{user}@{dst_ip}>\r\n"
        f"Call-ID: {rng.randrange(10**15)}\r\nCSeq: {n % 1000 + 1} REGISTER\r\nContact: <sip:{user}@{ip}:{port}>\r\n"
        f"Expires: 3600\r\nUser-Agent: {agent or 'phone/%d' % rng.randrange(9)}\r\nContent-Length: 0\r\n\r\n"
    ).encode()


def packet(ip, port, body):
    total = 28 + len(body)
    header = struct.pack("!BBHHHBBH4s4s", 0x45, 0, total, rng.randrange(65536), 0, 64, 17, 0, socket.inet_aton(ip), socket.inet_aton(dst_ip))
    return header + struct.pack("!HHHH", port, dst_port, 8 + len(body), 0) + body


sent = size = 0
start = time.monotonic()
while True:
    elapsed = time.monotonic() - start
    if elapsed >= seconds:
        break
    due = int(elapsed * rate)
    while sent < due:
        ip, port = next_source()
        body = payloads[sent % len(payloads)] if payloads else register(ip, port, sent)
        try:
            raw.sendto(packet(ip, port, body), (dst_ip, 0))
        except OSError:
            pass
        sent += 1
        size += len(body)
    time.sleep(0.001)
print(json.dumps({"sent": sent, "bytes": size, "seconds": round(time.monotonic() - start, 2)}))
