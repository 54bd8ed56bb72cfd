#!/usr/bin/env python3
"""A native client of BlueMarble in Python, standard library only.

It was written from the section "Protocol" of README.md and schemas/*.fbs alone and proves that they are enough. Two of
these meet in the world (see `Meeting`), walk to and fro, talk, act, and check what the protocol promises; one of them
cuts its connection in the middle of its actions and resumes. The last line of output is a JSON report; exit code 0 if
nothing was wrong, else 1.

    client.py --url ws://127.0.0.1:7777 --spawn -4,100 --name ann --peer bob
    client.py --url ws://127.0.0.1:7777 --spawn 4,100 --name bob --peer ann --lose-connection
    client.py --url ws://127.0.0.1:7777          alone: actions, log, a lost frame
    client.py --decode < message-in-hex          prints one message of the server as JSON
"""
import argparse
import base64
import hashlib
import json
import math
import os
import select
import socket
import struct
import sys
import time
from urllib.parse import urlsplit

WIDTH = 40075016.685578488
GONE = 0xFFFFFFFF
PROTOCOL = 1
HELLO, ACTION, PING, KEY_REQUEST, LOG_REQUEST, GOODBYE = range(1, 7)
WELCOME, CELL_FRAME, SELF_UPDATE, LOG_REPLY, PONG, CLOSING = range(1, 7)


class Failure(Exception):
    """The server, or the conversation with it, is not what README says."""


# ---- FlatBuffers by hand: reading ----

class Table:
    def __init__(self, data, at):
        self.data, self.at = data, at
        self.vtable = at - struct.unpack_from('<i', data, at)[0]
        self.entries = struct.unpack_from('<H', data, self.vtable)[0]

    def place(self, field):
        """Byte of a field, 0 = absent."""
        entry = 4 + 2 * field
        inside = struct.unpack_from('<H', self.data, self.vtable + entry)[0] if entry < self.entries else 0
        return self.at + inside if inside else 0

    def number(self, field, form, default=0):
        at = self.place(field)
        return struct.unpack_from('<' + form, self.data, at)[0] if at else default

    def follow(self, field):
        at = self.place(field)
        return at + struct.unpack_from('<I', self.data, at)[0] if at else 0

    def table(self, field):
        return Table(self.data, self.follow(field))

    def bytes(self, field):
        at = self.follow(field)
        return bytes(self.data[at + 4:at + 4 + struct.unpack_from('<I', self.data, at)[0]]) if at else b''

    def text(self, field):
        return self.bytes(field).decode()

    def structs(self, field, form):
        at = self.follow(field)
        count = struct.unpack_from('<I', self.data, at)[0] if at else 0
        size = struct.calcsize('<' + form)
        return [struct.unpack_from('<' + form, self.data, at + 4 + i * size) for i in range(count)]

    def places(self, field):
        """Where the elements of a vector of strings or tables stand."""
        at = self.follow(field)
        count = struct.unpack_from('<I', self.data, at)[0] if at else 0
        entries = [at + 4 + i * 4 for i in range(count)]
        return [entry + struct.unpack_from('<I', self.data, entry)[0] for entry in entries]

    def strings(self, field):
        lengths = [(at, struct.unpack_from('<I', self.data, at)[0]) for at in self.places(field)]
        return [bytes(self.data[at + 4:at + 4 + n]).decode() for at, n in lengths]

    def tables(self, field):
        return [Table(self.data, at) for at in self.places(field)]


def named(tables):
    return {t.text(0): t.number(1, 'H') for t in tables}


def read_welcome(t):
    u32 = lambda field: t.number(field, 'I')
    return {'protocol': u32(0), 'session': t.number(1, 'Q'), 'entity': t.number(2, 'Q'), 'token': t.text(3),
            'resumed': t.number(4, '?', False), 'applied': u32(5), 'durable': u32(6), 'window': t.number(7, 'H'),
            'tick': u32(8), 'tick_rate': t.number(9, 'B'), 'frame_rate': t.number(10, 'B'),
            'view_cells': t.number(11, 'B'), 'cell_level': t.number(12, 'B'), 'tile_level': t.number(13, 'B'),
            'x': t.number(14, 'd'), 'y': t.number(15, 'd'), 'game': t.text(16), 'actions': named(t.tables(17)),
            'kinds': t.strings(18), 'items': t.strings(19),
            'columns': [(c.text(0), c.number(1, 'B'), c.number(2, 'B')) for c in t.tables(20)],
            'events': named(t.tables(21))}


STATE = ('id', 'epoch', 'x', 'y', 'vx', 'vy', 'kind', 'flags', 'pub0', 'pub1')
REMOVAL = ('id', 'epoch', 'to_x', 'to_y')


def read_cell_frame(t):
    frame = {name: t.number(i, 'I') for i, name in enumerate(('cell_x', 'cell_y', 'publisher', 'tick', 'previous'))}
    frame['closes'] = [publisher for publisher, in t.structs(5, 'I')]
    frame['states'] = [dict(zip(STATE, s)) for s in t.structs(6, 'QIHHhhHHII')]
    frame['removals'] = [dict(zip(REMOVAL, r)) for r in t.structs(7, 'QIIIxxxx')]
    frame['events'] = [{'id': e.number(0, 'Q'), 'source': e.number(1, 'Q'), 'kind': e.number(2, 'H'),
                        'x': e.number(3, 'H'), 'y': e.number(4, 'H'), 'payload': e.bytes(5)} for e in t.tables(8)]
    return frame


def read_self_update(t):
    return {'tick': t.number(0, 'I'), 'epoch': t.number(1, 'I'), 'x': t.number(2, 'd'), 'y': t.number(3, 'd'),
            'vx': t.number(4, 'f'), 'vy': t.number(5, 'f'), 'applied': t.number(6, 'I'), 'durable': t.number(7, 'I'),
            'outcomes': t.structs(8, 'II'), 'dilation': t.number(9, 'f', 1.0),
            'items': [n for n, in t.structs(10, 'I')] if t.place(10) else None}


def read_log_reply(t):
    return {'session': t.number(0, 'Q'), 'last_action': t.number(1, 'I'), 'applied': t.number(2, 'I'),
            'rejected': t.number(3, 'I'), 'hash': t.number(4, 'I')}


READERS = {
    WELCOME: read_welcome, CELL_FRAME: read_cell_frame, SELF_UPDATE: read_self_update, LOG_REPLY: read_log_reply,
    PONG: lambda t: {'nonce': t.number(0, 'I'), 'tick': t.number(1, 'I')},
    CLOSING: lambda t: {'code': t.number(0, 'H'), 'name': t.text(1), 'text': t.text(2), 'retry': t.number(3, '?', False)},
}


def read_message(data):
    """(type of the body, the body as a dict); an unknown type of a newer server has no body."""
    root = Table(data, struct.unpack_from('<I', data, 0)[0])
    kind = root.number(0, 'B')
    return kind, READERS[kind](root.table(1)) if kind in READERS else None


# ---- FlatBuffers by hand: writing, front to back ----

def build(newest_tick, kind, fields):
    """A ClientMessage. `fields` of the body by slot: None, (form, number), a str, bytes, or a list of structs' bytes."""
    out = bytearray(struct.pack('<I5HxxiIIBxxx', 16, 10, 13, 4, 12, 8, 12, newest_tick, 0, kind))
    body_at = 24  # the place of the body's offset in the message's table, which stands at 16
    inline = []  # (size, slot, bytes or None for an offset)
    for slot, value in enumerate(fields):
        if isinstance(value, tuple):
            inline.append((8 if value[0] == 'dd' else struct.calcsize(value[0]), slot, struct.pack('<' + value[0], *value[1:])))
        elif value is not None:
            inline.append((4, slot, None))
    inline.sort(key=lambda field: -field[0])  # the largest first: then all are aligned if the first one is
    vtable_at = len(out)
    out += bytes(4 + 2 * len(fields))
    while len(out) % 8 != 4:
        out += b'\0'
    table_at = len(out)
    struct.pack_into('<I', out, body_at, table_at - body_at)
    out += struct.pack('<i', table_at - vtable_at)
    offsets = []
    for _, slot, content in inline:
        struct.pack_into('<H', out, vtable_at + 4 + 2 * slot, len(out) - table_at)
        if content is None:
            offsets.append((slot, len(out)))
        out += content or bytes(4)
    struct.pack_into('<HH', out, vtable_at, 4 + 2 * len(fields), len(out) - table_at)
    for slot, at in offsets:
        out += bytes(-len(out) % 4)
        struct.pack_into('<I', out, at, len(out) - at)
        value = fields[slot]
        if isinstance(value, list):
            out += struct.pack('<I', len(value)) + b''.join(value)
        else:
            content = value.encode() + b'\0' if isinstance(value, str) else value
            out += struct.pack('<I', len(value.encode()) if isinstance(value, str) else len(value)) + content
    return bytes(out)


# ---- WebSocket by hand ----

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


# ---- the view: streams and entities ----

class View:
    def __init__(self, failures):
        self.failures = failures
        self.entities = {}  # id → dict of its newest state with its place in the world
        self.streams = {}  # (cell_x, cell_y, publisher) → tick of its last frame, or None while it waits for a key frame
        self.events_seen = set()
        self.events = []
        self.keys = self.deltas = self.gaps = self.mended = 0
        self.asked = {}  # cells whose key frame we wait for → when we asked for it, 0 = not yet
        self.skip = False  # lose the next delta

    def begin(self, welcome):
        """A new connection: all streams begin anew, and any state is newer than those held."""
        self.columns = 1 << (welcome['cell_level'] + 1)
        self.side = WIDTH / self.columns
        self.reach = welcome['view_cells'] // 2
        self.streams.clear()
        self.asked.clear()
        for entity in self.entities.values():
            entity.update(order=(-1, -1), stream=None, leaving=time.monotonic())

    def cell_of(self, x, y):
        return math.floor((x + WIDTH / 2) / self.side) % self.columns, math.floor((WIDTH / 4 - y) / self.side)

    def in_view(self, cell, margin=0):
        across = abs(cell[0] - self.centre[0])
        return max(min(across, self.columns - across), abs(cell[1] - self.centre[1])) <= self.reach + margin

    def frame(self, f):
        cell = (f['cell_x'], f['cell_y'])
        if not self.in_view(cell, 1):
            return
        stream = cell + (f['publisher'],)
        known = self.streams.get(stream)
        for publisher in f['closes']:
            self.streams.pop(cell + (publisher,), None)
            for entity in self.entities.values():
                if entity['stream'] == cell + (publisher,):
                    entity['leaving'] = entity['leaving'] or time.monotonic()
        if f['previous'] == 0:
            if known is not None and f['tick'] < known:
                return
            self.keys += 1
            self.mended += stream in self.streams and known is None
            self.asked.pop(cell, None)
        elif known is not None and f['tick'] <= known:
            return
        elif f['previous'] != known:
            self.gaps += known is not None or stream not in self.streams
            self.streams[stream] = None
            self.asked.setdefault(cell, 0)
            return
        elif self.skip:
            self.skip = False
            return
        else:
            self.deltas += 1
        if f['previous'] >= f['tick'] or (f['previous'] == 0 and f['removals']):
            self.failures.append(f'impossible frame {f}')
        self.streams[stream] = f['tick']
        for state in f['states']:
            self.state(state, f, stream)
        for removal in f['removals']:
            self.removal(removal, f['tick'], cell)
        if f['previous'] == 0:
            listed = {state['id'] for state in f['states']}
            for entity in list(self.entities.values()):
                if entity['stream'] == stream and entity['id'] not in listed and not entity['leaving']:
                    self.drop(entity)
        for event in f['events']:
            if event['id'] in self.events_seen:
                self.failures.append(f'event {event["id"]} arrived twice')
            self.events_seen.add(event['id'])
            self.events.append(event)

    def state(self, s, f, stream):
        order = (s['epoch'], f['tick'])
        held = self.entities.get(s['id'])
        if held and (order < held['order'] or (order == held['order'] and f['previous'] != 0)):
            return
        x = stream[0] * self.side - WIDTH / 2 + s['x'] / 65536 * self.side
        y = WIDTH / 4 - (stream[1] + 1) * self.side + s['y'] / 65536 * self.side
        entity = dict(s, order=order, stream=stream, x=x, y=y, vx=s['vx'] / 100, vy=s['vy'] / 100, leaving=None,
                      walked=0.0, jump=0.0, publishers=set())
        if held:
            step = math.hypot((x - held['x'] + WIDTH / 2) % WIDTH - WIDTH / 2, y - held['y'])
            ticks = f['tick'] - held['tick']
            entity.update(walked=held['walked'] + step, publishers=held['publishers'],
                          jump=max(held['jump'], step - 6 * 0.05 * (ticks + 1)))
        entity['tick'] = f['tick']
        entity['publishers'].add(stream[2])
        self.entities[s['id']] = entity

    def removal(self, r, tick, cell):
        entity = self.entities.get(r['id'])
        if entity is None or (r['epoch'], tick) < entity['order']:
            return
        if r['to_x'] == GONE:
            self.drop(entity)
        elif entity['stream'] is None or entity['stream'][:2] == cell:
            if self.in_view((r['to_x'], r['to_y'])):
                entity['leaving'] = entity['leaving'] or time.monotonic()
            else:
                self.drop(entity)

    def drop(self, entity):
        del self.entities[entity['id']]

    def tidy(self, x, y):
        """After a self update: forget what is out of view, or has left and was not shown again for a second."""
        self.centre = self.cell_of(x, y)
        for stream in [s for s in self.streams if not self.in_view(s[:2], 1)]:
            del self.streams[stream]
            self.asked.pop(stream[:2], None)
        now = time.monotonic()
        for entity in list(self.entities.values()):
            late = entity['leaving'] and now - entity['leaving'] > 1
            if late or (entity['stream'] and not self.in_view(entity['stream'][:2], 1)):
                self.drop(entity)


# ---- the session ----

def fnv(value, data):
    for byte in data:
        value = ((value ^ byte) * 0x01000193) & 0xFFFFFFFF
    return value


class Client:
    def __init__(self, url, name, spawn):
        self.url, self.name, self.spawn = url, name, spawn
        self.failures = []
        self.view = View(self.failures)
        self.welcome = None
        self.newest = 0
        self.actions = []  # (kind, payload) of id 1, 2, …
        self.outcomes = {}  # id → code, for every decided action
        self.sent = self.applied = self.durable = 0
        self.me = {'order': (-1, -1)}
        self.items = None
        self.log = None
        self.self_updates = self.resumes = self.resent = self.pings = 0
        self.closing = None

    # -- connection --

    def connect(self, resume=False):
        self.ws = WebSocket(self.url)
        w = self.welcome if resume else None
        hello = [('I', PROTOCOL), f'python/{self.name}', None, ('Q', w['session']) if w else None,
                 ('Q', w['entity']) if w else None, w['token'] if w else None,
                 None if w else ('dd', *self.spawn)]
        before, self.welcome = self.welcome, None
        self.said_at = time.monotonic()
        self.say_to_server(HELLO, hello)
        self.until(lambda: self.welcome, 'a Welcome')
        if not resume:
            return
        self.resumes += 1
        same = all(self.welcome[key] == before[key] for key in ('session', 'entity', 'token'))
        if not (self.welcome['resumed'] and same):
            self.failures.append(f'not resumed: {self.welcome}')

    def say_to_server(self, kind, fields):
        self.said_at = time.monotonic()
        self.ws.send(build(self.newest, kind, fields))

    def pump(self, timeout):
        for data in self.ws.messages(timeout):
            self.take(*read_message(data))
        if self.ws.closed:
            raise Failure(f'closed by the server: {self.ws.closed} {self.closing}')
        if self.welcome is None:
            return
        if time.monotonic() - self.said_at > 0.8:
            self.pings += 1
            self.say_to_server(PING, [('I', self.pings)])
        asking = [cell for cell, at in self.view.asked.items() if time.monotonic() - at > 1]
        if asking:
            self.say_to_server(KEY_REQUEST, [[struct.pack('<II', *cell) for cell in asking]])
            self.view.asked.update((cell, time.monotonic()) for cell in asking)
        while self.sent < len(self.actions) and self.sent < self.applied + self.welcome['window']:
            kind, payload = self.actions[self.sent]
            self.sent += 1
            self.say_to_server(ACTION, [('I', self.sent), ('H', kind), payload])

    def until(self, condition, what, seconds=6.0):
        """Goes on until the condition holds."""
        end = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > end:
                raise Failure(f'{self.name}: waited {seconds} s for {what}')
            self.pump(0.02)

    # -- what arrives --

    def take(self, kind, body):
        if kind == WELCOME:
            self.take_welcome(body)
        elif kind == CELL_FRAME:
            self.newest = max(self.newest, body['tick'])
            self.view.frame(body)
        elif kind == SELF_UPDATE:
            self.take_self(body)
        elif kind == PONG:
            self.newest = max(self.newest, body['tick'])
            if body['nonce'] != self.pings:
                self.failures.append(f'pong {body["nonce"]} for ping {self.pings}')
        elif kind == LOG_REPLY:
            self.log = body
        elif kind == CLOSING:
            self.closing = body

    def take_welcome(self, w):
        self.welcome = w
        if w['protocol'] != PROTOCOL or w['session'] >= 2 ** 53 or w['applied'] > len(self.actions):
            self.failures.append(f'impossible Welcome {w}')
        self.resent += max(0, self.sent - w['applied'])
        self.sent = w['applied']  # what follows is sent again, with its old ids
        self.view.begin(w)
        self.view.tidy(w['x'], w['y'])

    def take_self(self, s):
        self.self_updates += 1
        self.newest = max(self.newest, s['tick'])
        order = (s['epoch'], s['tick'])
        if order < self.me['order']:
            return
        self.me = dict(s, order=order)
        self.items = s['items'] if s['items'] is not None else self.items
        if s['applied'] < self.applied or s['applied'] > self.sent or s['durable'] > s['applied']:
            self.failures.append(f'acknowledged {s["applied"]} of {self.sent} after {self.applied}')
        codes = dict(s['outcomes'])
        for action in range(self.applied + 1, s['applied'] + 1):
            self.outcomes[action] = codes.get(action, 0)
        for action, code in codes.items():
            if self.outcomes.get(action, code) != code:
                self.failures.append(f'action {action}: outcome {self.outcomes[action]} became {code}')
        self.applied, self.durable = max(self.applied, s['applied']), s['durable']
        self.view.tidy(s['x'], s['y'])

    # -- actions --

    def act(self, name, payload=None):
        """@returns the id"""
        self.actions.append((self.welcome['actions'].get(name, name), payload))
        return len(self.actions)

    def walk(self, heading, speed, seconds):
        return self.act('walk', struct.pack('<fff', heading, speed, seconds))

    def decided(self, action, expected):
        self.until(lambda: action in self.outcomes, f'the outcome of action {action}')
        if self.outcomes[action] not in expected:
            self.failures.append(f'action {action} {self.actions[action - 1]}: outcome {self.outcomes[action]}')

    def check_log(self):
        self.until(lambda: self.applied == len(self.actions), 'all outcomes')
        self.log = None
        self.say_to_server(LOG_REQUEST, [])
        self.until(lambda: self.log, 'a LogReply')
        value = 0x811C9DC5
        for i, (kind, payload) in enumerate(self.actions):
            payload = payload or b''
            value = fnv(value, struct.pack('<IH', i + 1, kind) + payload + struct.pack('<H', self.outcomes[i + 1]))
        applied = sum(1 for code in self.outcomes.values() if code == 0)
        mine = {'session': self.welcome['session'], 'last_action': len(self.actions), 'applied': applied,
                'rejected': len(self.actions) - applied, 'hash': value}
        if self.log != mine:
            self.failures.append(f'log {self.log} is not {mine}')


# ---- what two of them do together ----

class Talk:
    """Numbered speech of both: "<name> <number> <greatest number heard of the other> <x> <y> <word>"."""

    def __init__(self, client, name, peer):
        self.client, self.name, self.peer = client, name, peer
        self.said = 0
        self.heard = []  # numbers of the other in the order of their arrival
        self.peer_heard = 0
        self.peer_id = 0
        self.peer_word = ''
        self.peer_place = None
        self.said_at = 0.0

    def say(self, word='walks'):
        self.said += 1
        self.said_at = time.monotonic()
        me = self.client.me
        text = f'{self.name} {self.said} {max(self.heard, default=0)} {me["x"]:.4f} {me["y"]:.4f} {word}'
        return self.client.act('say', text.encode())

    def listen(self):
        speech = self.client.welcome['events']['speech']
        for event in self.client.view.events:
            words = event['payload'].decode().split(' ') if event['kind'] == speech else ['']
            if words[0] != self.peer:
                continue
            self.heard.append(int(words[1]))
            self.peer_heard = max(self.peer_heard, int(words[2]))
            self.peer_place = (float(words[3]), float(words[4]))
            self.peer_word = words[5]
            self.peer_id = event['source']
        self.client.view.events.clear()

    def check(self, interrupted):
        """Every speech since the first one heard: once, in order; none missing but while our own connection was lost."""
        if any(b != a + 1 for part in interrupted for a, b in zip(part, part[1:])) or self.heard != sorted(set(self.heard)):
            self.client.failures.append(f'heard {interrupted}')


class Meeting:
    """Both walk to and fro and talk until each has heard the other; then both stand still and compare places."""

    def __init__(self, client, talk):
        self.client, self.talk = client, talk
        self.heading = 0.0 if client.spawn[0] < 0 else math.pi
        self.leg_ends = 0.0
        self.is_seen = False
        self.lost_after = None  # how many speeches were heard before our connection was lost
        self.peer = {}  # the other one as it was seen at last

    def turn(self, word):
        """A moment of it. @param word what is said; with 'walks' the player walks, else it stands"""
        client, talk, now = self.client, self.talk, time.monotonic()
        if word == 'walks' and now > self.leg_ends:
            client.walk(self.heading, 4.0, 2.0)
            self.heading, self.leg_ends = math.pi - self.heading, now + 2.0
        if now - talk.said_at > 0.6:
            talk.say(word)
        client.pump(0.02)
        talk.listen()
        if talk.peer_id in client.view.entities:
            self.is_seen = True
        elif self.is_seen:
            client.failures.append('the other one vanished from view')
            self.is_seen = False

    def go_on(self, word, until, what):
        end = time.monotonic() + 8
        while not until():
            if time.monotonic() > end:
                raise Failure(f'{self.client.name} waited for {what}: heard {self.talk.heard}, was heard {self.talk.peer_heard}')
            self.turn(word)

    def walk_and_talk(self):
        talk = self.talk
        self.go_on('walks', lambda: len(talk.heard) >= 4 and talk.peer_heard >= 3, 'the other one to talk')

    def lose_connection(self):
        """The connection breaks in the middle of actions, the last of which never left; then a resume."""
        client, talk = self.client, self.talk
        client.check_log()
        client.until(lambda: time.monotonic() - talk.said_at > 0.6, 'the pause between two speeches')
        talk.listen()
        self.lost_after = len(talk.heard)
        for i in range(6):
            client.walk(math.pi * i, 3.0, 0.5)
        talk.say('walks')
        client.pump(0)
        for i in range(6):
            client.walk(math.pi * i, 3.0, 0.5)
        client.sent = len(client.actions)  # sent, and lost on the way
        client.ws.cut()
        client.connect(resume=True)
        client.until(lambda: client.applied == len(client.actions), 'the outcomes of what was lost')
        if client.resent < 6:
            client.failures.append(f'{client.resent} actions were sent again')

    def come_to_rest(self):
        """Stands still and says where until the other one has heard it; compares where the other one stands."""
        client, talk = self.client, self.talk
        client.decided(client.walk(0.0, 0.0, 0.0), (0,))
        still = client.me['order']
        client.until(lambda: client.me['order'] > still and client.me['vx'] == 0, 'standing still')
        first = talk.said + 1
        self.go_on('stands', lambda: talk.peer_word == 'stands' and talk.peer_heard >= first, 'the other one to stand')
        self.go_on('stands', lambda: self.distance() < 0.01, 'the other one to be seen where it says it is')
        self.peer = client.view.entities[talk.peer_id]
        # The other one leaves when it has heard that we have heard it: one more word, and that is decided.
        client.until(lambda: time.monotonic() - talk.said_at > 0.6, 'the pause between two speeches')
        client.decided(talk.say('stands'), (0,))

    def distance(self):
        peer = self.client.view.entities.get(self.talk.peer_id)
        x, y = self.talk.peer_place
        return math.hypot(peer['x'] - x, peer['y'] - y) if peer else math.inf

    def check(self):
        heard, n = self.talk.heard, self.lost_after or 0
        self.talk.check([heard[:n], heard[n:]])


def act_alone(client):
    """Actions with known outcomes, and what they do to the bag."""
    berry = client.welcome['items'].index('berry')
    client.until(lambda: client.items, 'the bag')
    berries = client.items[berry]
    client.decided(client.act('forage'), (0,))
    client.until(lambda: client.items[berry] == berries + 1, 'one more berry')
    client.decided(client.act('forage'), (7,))  # COOLDOWN
    client.decided(client.act('gather', struct.pack('<Q', client.welcome['entity'])), (3, 10))  # OUT_OF_REACH, NOT_ALLOWED
    client.decided(client.act('walk', struct.pack('<fff', math.nan, 1, 1)), (2,))  # BAD_PAYLOAD
    client.decided(client.walk(0.0, 1000.0, 1.0), (1000,))  # TOO_FAST
    client.decided(client.act(65000), (1,))  # UNKNOWN_ACTION
    client.decided(client.act('drop', struct.pack('<HH', berry, 1)), (0,))
    client.until(lambda: client.items[berry] == berries, 'one berry less')


def lose_a_frame(client):
    """A delta does not come; the next one shows the gap, and a key frame mends it."""
    view = client.view
    client.walk(math.pi / 2, 3.0, 5.0)
    client.until(lambda: view.deltas > 0, 'a delta')
    view.skip = True
    client.until(lambda: view.gaps == 1, 'the gap')
    client.until(lambda: view.mended == 1 and not view.asked, 'the key frame')
    deltas = view.deltas
    client.until(lambda: view.deltas > deltas, 'a delta after the key frame')
    view.events.clear()  # one may have been in the lost frame: hearing begins now


def leave(client):
    client.say_to_server(GOODBYE, [])
    try:
        while True:
            client.pump(1)
    except Failure:
        if client.ws.closed != (4000, 'GOODBYE') or (client.closing or {}).get('code') != 4000:
            client.failures.append(f'goodbye was answered by {client.ws.closed} {client.closing}')


def play(args):
    client = Client(args.url, args.name, args.spawn)
    talk = Talk(client, args.name, args.peer)
    meeting = Meeting(client, talk)
    view = client.view
    try:
        client.connect()
        client.until(lambda: client.me['order'] > (-1, -1), 'a self update')
        if math.hypot(client.welcome['x'] - args.spawn[0], client.welcome['y'] - args.spawn[1]) > 1:
            client.failures.append(f'spawned at {client.welcome["x"]}, {client.welcome["y"]}')
        act_alone(client)
        lose_a_frame(client)
        if args.peer:
            meeting.walk_and_talk()
            if args.lose_connection:
                meeting.lose_connection()
            meeting.come_to_rest()
            meeting.check()
        if args.plant:  # what was sent is not what we believe
            client.actions[0] = (client.actions[0][0], b'?')
        client.check_log()
        leave(client)
    except (Failure, OSError) as error:
        client.failures.append(f'{type(error).__name__}: {error}')
    peer = meeting.peer
    if peer.get('jump', 0) > 1:
        client.failures.append(f'the other one jumped {peer["jump"]:.2f} m')
    if args.peer and peer.get('walked', 0) < 2:
        client.failures.append(f'the other one walked {peer.get("walked", 0):.2f} m')
    report = {'ok': not client.failures, 'name': args.name, 'actions': len(client.actions), 'applied': client.applied,
              'heard': talk.heard, 'resumes': client.resumes, 'resent': client.resent, 'keys': view.keys,
              'deltas': view.deltas, 'gaps': view.gaps, 'mended': view.mended, 'selfUpdates': client.self_updates, 'pings': client.pings,
              'peerWalkedM': round(peer.get('walked', 0), 2), 'peerPublishers': len(peer.get('publishers', ())),
              'ownEpochs': client.me['order'][0], 'hash': (client.log or {}).get('hash'), 'failures': client.failures}
    print(json.dumps(report), flush=True)
    return 0 if report['ok'] else 1


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--url', default='ws://127.0.0.1:7777')
    parser.add_argument('--spawn', type=lambda text: tuple(map(float, text.split(','))), default=(-4.0, 100.0))
    parser.add_argument('--name', default='ann')
    parser.add_argument('--peer', default='', help='name of the other one; without it this one plays alone')
    parser.add_argument('--lose-connection', action='store_true')
    parser.add_argument('--plant', action='store_true', help='falsify our record of an action: the log must not match')
    parser.add_argument('--decode', action='store_true')
    args = parser.parse_args()
    if not args.decode:
        return play(args)
    kind, body = read_message(bytes.fromhex(sys.stdin.read()))
    print(json.dumps({'type': kind, 'body': body}, default=lambda data: data.decode()))
    return 0


if __name__ == '__main__':
    sys.exit(main())
