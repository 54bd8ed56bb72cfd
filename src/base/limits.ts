/**
 * Every limit of a node, named in one place, unit last; what follows from others is proved when this file loads,
 * so that a wrong figure stops the process before it opens a port. Options may lower some of them at start.
 */
import { assert } from './assert.js';

const KIB = 1024;
const MIB = 1024 * KIB;

export const LIMITS = Object.freeze({
  // the world
  maxEntities: 65_536, // slots of the arena
  baseTileLevel: 11, // 9 783.94 m, the "10 km" tile
  deepestTileLevel: 13, // 2 445.98 m, the "2.5 km" tile
  cellLevel: 17, // 152.87 m
  viewCells: 3, // a near view is 3 × 3 cells
  farCells: 5, // with its far rings a view is 5 × 5 cells by default …
  mostFarCells: 7, // … and at most 7 × 7
  walkSpeedMps: 6,
  borderMarginM: 2, // how far beyond a border an entity must be before it is handed over
  minimumStayS: 0.5, // and how long its owner must have had it

  // threads and time
  maxShards: 64,
  maxGateways: 32,
  shardHeapMb: 128, // of a shard's thread: the world is in shared memory, this is for game code and its garbage
  tickRateHz: 20,
  frameRateHz: 10,
  tileSleepS: 60,
  crowdedShare: 1 / 2, // of the places in use: beyond it tiles that nobody looks at sleep …
  crowdedSleepS: 5, // … after this; a view touches its tiles once a second

  // actions
  windowActions: 60, // ids granted beyond the last decided one; the inbox keeps the rest for its control entries
  inboxPlaces: 64,
  actionPayloadBytes: 176,
  clientMessageBytes: 1 * KIB,
  gatewayActionsPerS: 100, // above it the connection is closed
  actionsPerTick: 4, // an owner drains at most these per entity
  actionsPerS: 40, // refill of the bucket in the record; what exceeds it waits in the inbox
  actionBurst: 80, // depth of that bucket
  badFramesBeforeClose: 3,

  // entities
  itemKinds: 16,
  componentBytes: 96,
  publicBytes: 8,
  outboxPlaces: 8,
  answerPlaces: 8,
  messageResendS: 1, // an unanswered message is sent again after this
  stepThrows: 5, // in a row: then an entity's step is left out …
  frozenS: 60, // … for so long, and tried again
  idLease: 4096, // ids taken from the world's counter at once

  // rings
  arrivalsPlaces: 8192,
  messagePlaces: 4096,
  frameRingBytes: 8 * MIB,
  storeRingBytes: 64 * MIB, // at most, for what one shard changes between two cuts
  storePendingBytes: 64 * MIB, // not durable yet, in the store's memory: beyond it the rings keep what comes
  storeRetryMs: 100, // after a write that failed
  frameScratchBytes: 2 * MIB, // with its header at most half of the ring

  // load: what the planner decides by; a share is of the capacity or of the tick budget
  plannerRateHz: 4,
  loadSmoothingS: 3, // length of the mean that loads are judged by
  dwellS: 20, // a reshaped tile rests for this
  startLoadShare: 0.6, // from here threads are started, so that they run when the split comes
  splitLoadShare: 0.8,
  emergencyLoadShare: 1,
  mergeLoadShare: 0.4, // of four siblings together
  coolLoadShare: 0.4, // a shard below it is worth moving to, and packing fills none above it
  foreseenShare: 0.5, // chance from which a load that is foreseen counts …
  foreseenSplitShare: 0.6, // … for a split, if the tile has this load already
  moveGainShare: 0.1, // a move between shards must lower the higher of the two loads by this
  splitLevelsAtOnce: 2,
  reshapesAtOnce: 8,
  startWaitS: 2, // a proactive split waits this long for the threads that it asked for
  packLoadShare: 0.02, // a shard that stayed below it …
  packAfterS: 60, // … for this long is emptied
  fullWaitingShare: 0.2, // threads that wait for a core for more than this …
  fullWindowS: 5, // … of this long: the machine is full
  fullOwnShare: 0.1, // … if they have at least this share of one: who only wakes now and then lacks nothing
  minDilationShare: 0.1,
  degradeStepS: 0.5, // between two steps down
  degradeBackS: 2, // and between two steps back

  // clients
  capacityPlayers: 5000, // that one shard is meant to carry
  firstMessageS: 5,
  resumeGraceS: 15,
  idleGuestGraceS: 5, // of a guest who has done nothing yet: nothing but a place is lost
  addressConnections: 256, // open sockets of one address
  addressNewcomersPerS: 10, // sessions that it begins; ten times as many at once
  addressTilesPerMinute: 60, // sleeping tiles that they wake
  newcomersPerS: 250, // sessions that begin, of all addresses together …
  newcomersBurst: 4000, // … and at once
  idleTimeoutS: 60,
  slowLagS: 1, // behind by this: only self updates
  slowCloseS: 10, // behind by this: closed
  maxBackpressureBytes: 128 * KIB,
  clientBytesPerS: 64 * KIB, // what a client is sent at most, whatever stands around it
  leastClientBytesPerS: 8 * KIB, // and the least that this may be set to
  farEventsPerFrame: 4, // of one square in class 2 and slower

  // links between processes
  linkTurnBytes: 64 * MIB, // of one turn; a longer one is no turn
  linkFullBytes: 8 * MIB, // waiting in a process: beyond it what may be left out is left out …
  linkMostBytes: 32 * MIB, // … and beyond this the link is reset
  linkSilenceS: 4, // without a word of the other end: it is gone
  linkHandshakeS: 5,
  linkHandshakeBytes: 4 * KIB, // of one turn before the other end has proved itself
  linkStrangers: 64, // connections that have not
  routerWaitS: 12, // that a router holds a client whose node is away
});

export type Limits = { readonly [Name in keyof typeof LIMITS]: number };

function powerOfTwo(n: number): boolean {
  return Number.isInteger(n) && n > 0 && Number.isInteger(Math.log2(n));
}

/** The same for the limits of load: between each threshold and the way back there is room, so nothing flaps. */
function proveLoadLimits(l: Limits): void {
  assert(l.startLoadShare < l.splitLoadShare, 'a thread is asked for before the split that needs it');
  assert(
    l.foreseenSplitShare > l.mergeLoadShare && l.foreseenSplitShare < l.splitLoadShare,
    'foresight is early',
  );
  assert(l.splitLoadShare < l.emergencyLoadShare, 'a split is proactive before it is an emergency');
  assert(l.mergeLoadShare * 2 <= l.splitLoadShare, 'a merged tile is far from its next split');
  assert(l.coolLoadShare < l.startLoadShare, 'a cool shard is no reason to start another one');
  assert(l.packLoadShare * 2 <= l.coolLoadShare, 'a packed shard is far from being emptied again');
  assert(l.moveGainShare < l.splitLoadShare, 'some move is worth it');
  assert(l.dwellS > 2 * l.loadSmoothingS, 'a reshaped tile rests until its load is known');
  assert(l.plannerRateHz * l.loadSmoothingS >= 4, 'a load is judged by more than a glance');
  assert(l.plannerRateHz * l.degradeStepS >= 2, 'a step down is seen before the next one');
  assert(l.degradeStepS < l.degradeBackS, 'steps down are quick, steps back are slow');
  assert(l.startWaitS < l.loadSmoothingS, 'a thread that does not start holds up no split for long');
  assert(l.splitLevelsAtOnce <= 2, 'a block of children has one more level in between at most');
  assert(
    l.fullWaitingShare < 1 && l.fullOwnShare < l.startLoadShare && l.minDilationShare < 1,
    'shares of one',
  );
}

/** Asserts what the parts rely on between the limits. Each line says what would break. */
export function proveLimits(l: Limits): void {
  for (const [name, value] of Object.entries(l)) {
    assert(Number.isFinite(value) && value > 0, `I7 the limit ${name} is a finite number above zero`);
  }
  assert(
    l.maxShards <= 64 && l.maxGateways < 36,
    'I7 shards are threads 0…63, gateways (and one of links) 64…99, the store 100',
  );
  assert(l.maxEntities <= 1 << 20, 'I7 slot × largest region of a record stays below 2^31 bytes');
  assert(l.baseTileLevel <= l.deepestTileLevel, 'I9 a base tile splits downwards');
  assert(l.crowdedSleepS <= l.tileSleepS, 'I7 a crowded arena is emptied sooner');
  assert(l.deepestTileLevel < l.cellLevel, 'I9 cells nest in tiles');
  assert(2 * l.cellLevel + 1 <= 52, 'I9 cell numbers are exact as float64');
  assert(2 * l.baseTileLevel + 1 <= 30, 'I9 base tile numbers are non-negative Int32');
  assert(l.viewCells % 2 === 1 && l.farCells % 2 === 1, 'I6 a view has a middle cell');
  assert(l.viewCells <= l.farCells && l.farCells <= l.mostFarCells, 'I6 far is not nearer than near');
  assert(l.tickRateHz % l.frameRateHz === 0, 'I6 a frame falls on a tick');
  assert(powerOfTwo(l.inboxPlaces), 'I3 outcomes and inbox places are found by id & (places - 1)');
  assert(
    l.windowActions < l.inboxPlaces,
    'I3 a granted action always finds a place beside the control entries',
  );
  assert(l.actionPayloadBytes % 8 === 0, 'I3 an inbox place stays aligned to 8 bytes');
  assert(l.actionPayloadBytes + 16 === 192, 'I3 an inbox place is 192 bytes: three cache lines');
  assert(l.clientMessageBytes >= 4 * l.actionPayloadBytes, 'I11 the largest action fits a client message');
  assert(l.actionBurst >= l.windowActions, 'I3 a full window can be drained without waiting for the bucket');
  assert(l.actionsPerTick * l.tickRateHz >= l.actionsPerS, 'I3 the drain is not slower than its bucket');
  assert(l.gatewayActionsPerS > l.actionsPerS, 'I7 a client that obeys its window is not closed');
  assert(
    l.componentBytes % 8 === 0 && l.publicBytes === 8,
    'I6 a row of a view has two words of game columns',
  );
  assert(powerOfTwo(l.arrivalsPlaces) && powerOfTwo(l.messagePlaces), 'I7 ring positions are masked');
  assert(powerOfTwo(l.frameRingBytes), 'I7 ring positions are masked');
  assert(powerOfTwo(l.storeRingBytes), 'I7 ring positions are masked');
  assert(l.frameScratchBytes * 2 < l.frameRingBytes, 'I7 the largest frame is at most half of its ring');
  assert(
    l.slowLagS < l.slowCloseS && l.slowCloseS < l.idleTimeoutS,
    'I5 slow clients are eased before closed',
  );
  assert(l.leastClientBytesPerS <= l.clientBytesPerS, 'I6 the budget of a client is within its bounds');
  assert(l.maxBackpressureBytes >= l.clientBytesPerS / 2, 'I6 key frames that a budget allows fit a socket');
  assert(l.minimumStayS * l.tickRateHz >= 1, 'I1 a stay is at least one tick: no ping-pong within one');
  assert(
    l.linkFullBytes < l.linkMostBytes && l.linkMostBytes < l.linkTurnBytes,
    'I7 a link leaves out before it is reset, and no turn that it may hold is too long for the other end',
  );
  assert(
    l.linkSilenceS < l.routerWaitS && l.routerWaitS < l.resumeGraceS,
    'I3 a router finds its node gone, and lets go of a client, while the session may still be resumed',
  );
  proveLoadLimits(l);
}

proveLimits(LIMITS);
