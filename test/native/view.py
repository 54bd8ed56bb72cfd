"""What a client sees: streams with key frames, deltas and gaps; one state for each entity (README.md, "Streams")."""
import math
import time

WIDTH = 40075016.685578488
GONE = 0xFFFFFFFF


def overlap(a, b):
    """Whether two squares of a cell have ground in common: the parts of n are 4n + 1 … 4n + 4."""
    a, b = min(a, b), max(a, b)
    while b > a:
        b = (b - 1) // 4
    return a == b


class View:
    def __init__(self, failures):
        self.failures = failures
        self.entities = {}  # id → dict of its newest state with its place in the world
        self.ended = {}  # id → (epoch, tick) of the removal of one who has left the world
        self.streams = {}  # (cell_x, cell_y, square, publisher) → tick of its last frame, or None while it waits for a key frame
        self.events_seen = set()
        self.events = []
        self.taken = {}  # stream → tick of the states of its last key frame
        self.keys = self.deltas = self.gaps = self.mended = 0
        self.squares = {}  # (cell_x, cell_y, square) → ticks from one frame with states to the next
        self.asked = {}  # squares whose key frame we wait for → when we asked for it, 0 = not yet
        self.skip = False  # lose the next delta

    def begin(self, welcome):
        """A new connection: all streams begin anew, and any state is newer than those held."""
        self.columns = 1 << (welcome['cell_level'] + 1)
        self.side = WIDTH / self.columns
        self.near = welcome['view_cells'] // 2
        self.reach = max(welcome['view_cells'], welcome['far_cells']) // 2  # with the far rings
        self.frame_ticks = welcome['tick_rate'] // welcome['frame_rate']
        self.tick_s = 1 / welcome['tick_rate']
        self.streams.clear()
        self.squares.clear()
        self.asked.clear()
        self.ended.clear()
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
        square = cell + (f['square'],)
        if f['publisher'] == 0:
            self.notice(square, f)
            return
        stream = square + (f['publisher'],)
        known = self.streams.get(stream)
        for publisher in f['closes']:
            self.streams.pop(square + (publisher,), None)
            for entity in self.entities.values():
                if entity['stream'] == square + (publisher,):
                    entity['leaving'] = entity['leaving'] or time.monotonic()
        if f['previous'] == 0:
            if known is not None and f['tick'] < known:
                return
            self.keys += 1
            self.mended += stream in self.streams and known is None
            self.asked.pop(square, None)
        elif known is not None and f['tick'] <= known:
            return
        elif f['previous'] != known:
            self.gaps += known is not None or stream not in self.streams
            self.streams[stream] = None
            self.asked.setdefault(square, 0)
            return
        elif self.skip:
            self.skip = False
            return
        else:
            self.deltas += 1
        if f['previous'] >= f['tick']:
            self.failures.append(f'impossible frame {f}')
        self.streams[stream] = f['tick']
        if f['previous'] == 0:
            self.taken[stream] = f['taken']
        old = f['previous'] != 0 and f['tick'] <= self.taken.get(stream, 0)  # the key frame has shown what is newer
        for state in [] if old else f['states']:
            self.state(state, f, stream)
        for move in [] if old else f['moves']:
            held = self.entities.get(move['id'])
            if held is None and move['id'] in self.ended:
                pass  # late: of the owner before the one who told of its end
            elif held is None:
                self.failures.append(f'{move} of an entity that was never shown')
            elif held['order'][0] >= 0 and held['order'][0] % 2048 == move['epoch']:  # else it waits for a full state
                rest = {name: held[name] for name in ('kind', 'flags', 'pub0', 'pub1')}
                self.state(dict(move, epoch=held['order'][0], **rest), f, stream)
        for removal in f['removals']:
            self.removal(removal, f['tick'], cell)
        if f['previous'] == 0:
            listed = {state['id'] for state in f['states']}
            for entity in list(self.entities.values()):
                if entity['stream'] == stream and entity['id'] not in listed and not entity['leaving']:
                    if f['square'] == 0 and self.patience() == 1:
                        self.drop(entity)
                    else:  # it may be in another square, whose turn to show it has not come
                        entity['leaving'] = time.monotonic()
        for event in f['events']:
            if event['id'] in self.events_seen:
                self.failures.append(f'event {event["id"]} arrived twice')
            self.events_seen.add(event['id'])
            self.events.append(event)

    def notice(self, square, f):
        """The square is shown from now on, or (previous = 1) at another rate, or (interval = 0) not any more."""
        if f['previous'] == 1 and f['interval'] == 0:
            self.squares.pop(square, None)
            for stream in [s for s in self.streams if s[:3] == square]:
                del self.streams[stream]
                self.asked.pop(stream[:3], None)
            for entity in [e for e in self.entities.values() if e['stream'] and e['stream'][:3] == square]:
                self.drop(entity)
            return
        if f['previous'] == 0:
            for other in [o for o in self.squares if o[:2] == square[:2] and overlap(o[2], square[2])]:
                del self.squares[other]
            for stream in [s for s in self.streams if s[:2] == square[:2] and overlap(s[2], square[2])]:
                del self.streams[stream]
                self.asked.pop(stream[:3], None)
            for entity in self.entities.values():  # what is held of it is doubtful until shown again
                at = entity['stream']
                if at and at[:2] == square[:2] and overlap(at[2], square[2]):
                    entity['leaving'] = entity['leaving'] or time.monotonic()
                    entity['order'] = (-1, -1)  # any state of the key frames to come is newer
        self.squares[square] = f['interval']

    def patience(self):
        """Seconds for which what has left somewhere may take to be shown elsewhere."""
        return 1 + self.tick_s * max(0, max(self.squares.values(), default=0) - self.frame_ticks)

    def state(self, s, f, stream):
        order = (s['epoch'], f['taken'])
        held = self.entities.get(s['id'])
        if not held and order <= self.ended.get(s['id'], (-1, -1)):
            return
        if held and (order < held['order'] or (order == held['order'] and f['previous'] != 0)):
            return
        x = stream[0] * self.side - WIDTH / 2 + s['x'] / 65536 * self.side
        y = WIDTH / 4 - (stream[1] + 1) * self.side + s['y'] / 65536 * self.side
        entity = dict(s, order=order, stream=stream, x=x, y=y, vx=s['vx'] / 100, vy=s['vy'] / 100, leaving=None, to=None,
                      walked=0.0, jump=0.0, publishers=set())
        if held:
            step = math.hypot((x - held['x'] + WIDTH / 2) % WIDTH - WIDTH / 2, y - held['y'])
            ticks = f['taken'] - held['tick']
            entity.update(walked=held['walked'] + step, publishers=held['publishers'],
                          jump=max(held['jump'], step - 6 * 0.05 * (ticks + 1)))
        entity['tick'] = f['taken']
        entity['publishers'].add(stream[3])
        self.entities[s['id']] = entity

    def removal(self, r, tick, cell):
        entity = self.entities.get(r['id'])
        if entity and (r['epoch'], tick) < entity['order']:
            return
        if r['to_x'] == GONE:
            self.ended[r['id']] = max((r['epoch'], tick), self.ended.get(r['id'], (-1, -1)))
        if entity is None:
            return
        if r['to_x'] == GONE:
            self.drop(entity)
        elif entity['stream'] is None or entity['stream'][:2] == cell or entity['leaving'] and entity['to'] == cell:
            if self.in_view((r['to_x'], r['to_y'])):
                entity['leaving'] = entity['leaving'] or time.monotonic()
                entity['to'] = (r['to_x'], r['to_y'])
            else:
                self.drop(entity)

    def drop(self, entity):
        del self.entities[entity['id']]

    def tidy(self, x, y):
        """After a self update: forget what is out of view, or has left and was not shown again for a second."""
        self.centre = self.cell_of(x, y)
        for stream in [s for s in self.streams if not self.in_view(s[:2], 1)]:
            del self.streams[stream]
            self.asked.pop(stream[:3], None)
        for square in [s for s in self.squares if not self.in_view(s[:2], 1)]:
            del self.squares[square]
        now = time.monotonic()
        for entity in list(self.entities.values()):
            late = entity['leaving'] and now - entity['leaving'] > self.patience()
            if late or (entity['stream'] and not self.in_view(entity['stream'][:2], 1)):
                self.drop(entity)
