"""Messages of BlueMarble: FlatBuffers read and written by hand, as README.md describes them."""
import struct

PROTOCOL = 2
HELLO, ACTION, PING, KEY_REQUEST, LOG_REQUEST, GOODBYE = range(1, 7)
WELCOME, CELL_FRAME, SELF_UPDATE, LOG_REPLY, PONG, CLOSING = range(1, 7)


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
            'events': named(t.tables(21)), 'far_cells': t.number(22, 'B'),
            'far_intervals': [v for v, in t.structs(23, 'H')]}


STATE = ('id', 'epoch', 'x', 'y', 'vx', 'vy', 'kind', 'flags', 'pub0', 'pub1')
MOVE = ('id', 'x', 'y', 'vx', 'vy')
REMOVAL = ('id', 'epoch', 'to_x', 'to_y')


def read_cell_frame(t):
    frame = {name: t.number(i, 'I') for i, name in enumerate(('cell_x', 'cell_y', 'publisher', 'tick', 'previous'))}
    frame['closes'] = [publisher for publisher, in t.structs(5, 'I')]
    frame['states'] = [dict(zip(STATE, s)) for s in t.structs(6, 'QIHHhhHHII')]
    frame['removals'] = [dict(zip(REMOVAL, r)) for r in t.structs(7, 'QIIIxxxx')]
    frame['events'] = [{'id': e.number(0, 'Q'), 'source': e.number(1, 'Q'), 'kind': e.number(2, 'H'),
                        'x': e.number(3, 'H'), 'y': e.number(4, 'H'), 'payload': e.bytes(5)} for e in t.tables(8)]
    frame['square'] = t.number(9, 'B')
    frame['moves'] = [dict(zip(MOVE, m)) for m in t.structs(10, 'QHHhh')]
    for move in frame['moves']:  # the epoch's lower 11 bits stand above the id
        move['epoch'], move['id'] = move['id'] >> 53, move['id'] & (1 << 53) - 1
    frame['interval'] = t.number(11, 'H')
    frame['taken'] = t.number(12, 'I') or frame['tick']
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
    PONG: lambda t: {'nonce': t.number(0, 'I'), 'tick': t.number(1, 'I'), 'held_ms': t.number(2, 'H')},
    CLOSING: lambda t: {'code': t.number(0, 'H'), 'name': t.text(1), 'text': t.text(2), 'retry': t.number(3, '?', False)},
}


def read_message(data):
    """(type of the body, the body as a dict); an unknown type of a newer server has no body."""
    root = Table(data, struct.unpack_from('<I', data, 0)[0])
    kind = root.number(0, 'B')
    return kind, READERS[kind](root.table(1)) if kind in READERS else None


def build(newest_tick, welcomes, kind, fields):
    """A ClientMessage. `fields` of the body by slot: None, (form, number), a str, bytes, or a list of structs' bytes."""
    out = bytearray(struct.pack('<I6HiIIBBxx', 16, 12, 14, 4, 12, 8, 13, 12, newest_tick, 0, kind, welcomes))
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
