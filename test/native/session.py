"""One session: connection and resume, actions with their outcomes, the log and its hash."""
import struct
import time

from messages import (ACTION, CELL_FRAME, CLOSING, HELLO, KEY_REQUEST, LOG_REPLY, LOG_REQUEST, PING, PONG, PROTOCOL,
                      SELF_UPDATE, WELCOME, build, read_message)
from view import View
from websocket import Failure, WebSocket


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
        self.newest = self.welcomes = 0  # newest tick since the newest Welcome; Welcomes after the first of a connection
        self.actions = []  # (kind, payload) of id 1, 2, …
        self.outcomes = {}  # id → code, for every decided action
        self.sent = self.applied = self.durable = 0
        self.me = {'order': (-1, -1)}
        self.items = None
        self.log = None
        self.self_updates = self.resumes = self.renewals = self.resent = self.pings = self.ponged = 0
        self.closing = self.before = None

    # -- connection --

    def connect(self, resume=False):
        self.ws = WebSocket(self.url)
        w = self.welcome if resume else None
        hello = [('I', PROTOCOL), f'python/{self.name}', None, ('Q', w['session']) if w else None,
                 ('Q', w['entity']) if w else None, w['token'] if w else None,
                 None if w else ('dd', *self.spawn), ('I', self.durable) if w else None]
        self.before, self.welcome = w, None
        self.newest = self.welcomes = 0
        self.said_at = time.monotonic()
        self.say_to_server(HELLO, hello)
        self.until(lambda: self.welcome, 'a Welcome')
        if not resume:
            return
        self.resumes += 1

    def say_to_server(self, kind, fields):
        self.said_at = time.monotonic()
        self.ws.send(build(self.newest, self.welcomes, kind, fields))

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
        asking = [square for square, at in self.view.asked.items() if time.monotonic() - at > 1]
        if asking:
            self.say_to_server(KEY_REQUEST, [[struct.pack('<III', *square) for square in asking]])
            self.view.asked.update((square, time.monotonic()) for square in asking)
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
            if not self.ponged < body['nonce'] <= self.pings:
                self.failures.append(f'pong {body["nonce"]} after {self.ponged} for ping {self.pings}')
            self.ponged = body['nonce']
        elif kind == LOG_REPLY:
            self.log = body
        elif kind == CLOSING:
            self.closing = body

    def take_welcome(self, w):
        before = self.welcome or self.before  # of this connection, or of the one before
        if self.welcome:
            self.welcomes += 1
        self.welcome, self.before = w, None
        if before and before['entity'] != w['entity'] or w['resumed'] and not before:
            self.failures.append(f'{w} after {before}')
        if before and not w['resumed']:  # the world was put back to before what we were told was durable
            self.renewals += 1
            self.actions.clear()
            self.outcomes.clear()
            self.sent = self.applied = self.durable = 0
        if w['protocol'] != PROTOCOL or w['session'] >= 2 ** 53 or not self.durable <= w['applied'] <= len(self.actions):
            self.failures.append(f'impossible Welcome {w}')
        self.resent += max(0, self.sent - w['applied'])
        self.sent = w['applied']  # what follows is sent again, with its old ids
        self.applied = min(self.applied, w['applied'])  # outcomes up to it come with the first self update
        self.outcomes = {action: code for action, code in self.outcomes.items() if action <= w['applied']}
        self.newest = w['tick']
        self.me['order'] = (-1, -1)  # epochs and ticks may be lower than they were
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
