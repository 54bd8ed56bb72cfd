#!/usr/bin/env python3
"""A native client of BlueMarble in Python, standard library only.

It uses only what the section "Protocol" of README.md and schemas/*.fbs say, and no code or table of the server. Two of
these meet in the world (see `Meeting`), walk to and fro, talk, act, and check what the protocol promises; one of them
cuts its connection in the middle of its actions and resumes. The last line of output is a JSON report; exit code 0 if
nothing was wrong, else 1.

    client.py --url ws://127.0.0.1:7777 --spawn=-4,100 --name ann --peer bob
    client.py --url ws://127.0.0.1:7777 --spawn=4,100 --name bob --peer ann --lose-connection
    client.py --url ws://127.0.0.1:7777          alone: actions, log, a lost frame
    client.py --outlive                          acts, and goes on when the server has gone and come back (see `outlive`)
    client.py --decode < message-in-hex          prints one message of the server as JSON
"""
import argparse
import json
import math
import select
import struct
import sys
import time

sys.dont_write_bytecode = True  # nothing is left beside the sources

from messages import GOODBYE, read_message  # noqa: E402
from session import Client  # noqa: E402
from websocket import Failure  # noqa: E402


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


def outlive(client):
    """Ten actions that become durable, a word on standard output, a wait for a line on standard input, ten more; and the
    same once more. Then the server may end: we come back by a resume, act, and our log must be the server's."""
    for stage in range(2):
        for _ in range(10):
            client.walk(stage * math.pi, 1.0, 0.2)
        client.until(lambda: client.durable == len(client.actions), 'all of it to be durable')
        print(json.dumps({'durable': client.durable}), flush=True)
        while not select.select([sys.stdin], [], [], 0)[0]:
            client.pump(0.05)
        sys.stdin.readline()
    end = time.monotonic() + 60
    try:
        client.until(lambda: False, 'the end of the server', 60)
    except (Failure, OSError):
        pass
    pause = 0.1
    while client.welcome is None or client.ws.closed or client.resumes == 0:
        try:
            client.connect(resume=True)
        except (Failure, OSError):
            if time.monotonic() > end or client.closing and not client.closing['retry']:
                raise
            client.welcome = client.welcome or client.before
            time.sleep(pause)
            pause = min(5, 2 * pause)
    for _ in range(3):
        client.decided(client.walk(0.0, 1.0, 0.2), (0,))


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
        if args.outlive:
            outlive(client)
        else:
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
              'heard': talk.heard, 'resumes': client.resumes, 'renewals': client.renewals, 'resent': client.resent, 'keys': view.keys,
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
    parser.add_argument('--outlive', action='store_true')
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
