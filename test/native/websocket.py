"""A WebSocket client by hand: handshake, masked frames, pings, close (RFC 6455)."""
import base64
import hashlib
import os
import select
import socket
import struct
from urllib.parse import urlsplit


class Failure(Exception):
    """The server, or the conversation with it, is not what README says."""


class WebSocket:
    def __init__(self, url):
        parts = urlsplit(url)
        self.socket = socket.create_connection((parts.hostname, parts.port), timeout=5)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        key = base64.b64encode(os.urandom(16)).decode()
        self.socket.sendall((f'GET {parts.path or "/"} HTTP/1.1\r\nHost: {parts.netloc}\r\nUpgrade: websocket\r\n'
                             f'Connection: Upgrade\r\nSec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n').encode())
        self.received = b''
        while b'\r\n\r\n' not in self.received:
            self.read_some()
        head, self.received = self.received.split(b'\r\n\r\n', 1)
        accept = base64.b64encode(hashlib.sha1((key + '258EAFA5-E914-47DA-95CA-C5AB0DC85B11').encode()).digest())
        if b' 101 ' not in head.split(b'\r\n')[0] or accept not in head:
            raise Failure(f'no WebSocket: {head[:80]}')
        self.closed = None  # (code, reason) of the server's close
        self.parts = b''

    def read_some(self):
        data = self.socket.recv(65536)
        if not data:
            raise Failure('the socket ended without a close')
        self.received += data

    def send(self, data, opcode=2):
        mask = os.urandom(4)
        size = bytes([0x80 | len(data)]) if len(data) < 126 else struct.pack('>BH', 0x80 | 126, len(data))
        masked = bytes(b ^ mask[i % 4] for i, b in enumerate(data))
        self.socket.sendall(bytes([0x80 | opcode]) + size + mask + masked)

    def messages(self, timeout):
        """The binary messages that have arrived, after waiting for at most `timeout` seconds."""
        if not select.select([self.socket], [], [], max(0, timeout))[0]:
            return
        self.read_some()
        while self.closed is None:
            frame = self.next_frame()
            if frame is None:
                return
            final, opcode, data = frame
            if opcode == 9:
                self.send(data, 10)
            elif opcode == 8:
                self.closed = (struct.unpack('>H', data[:2])[0] if len(data) >= 2 else 1005, data[2:].decode())
            elif opcode in (0, 2):
                self.parts += data
                if final:
                    whole, self.parts = self.parts, b''
                    yield whole

    def next_frame(self):
        data = self.received
        if len(data) < 2:
            return None
        size, at = data[1] & 127, 2
        if data[1] & 128 or data[0] & 0x70:
            raise Failure('a masked frame or a reserved bit from the server')
        if size > 125:
            at += 2 if size == 126 else 8
            if len(data) < at:
                return None
            size = int.from_bytes(data[2:at], 'big')
        if len(data) < at + size:
            return None
        self.received = data[at + size:]
        return bool(data[0] & 128), data[0] & 15, data[at:at + size]

    def cut(self):
        """Ends the connection as a broken network does: a reset, without a word."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
        self.socket.close()
