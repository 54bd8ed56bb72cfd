import t from 'tap';
import { LIMITS, type Limits, proveLimits } from '../../src/base/limits.js';

t.test('the limits hold together and cannot be changed', async (t) => {
  t.doesNotThrow(() => proveLimits(LIMITS));
  t.throws(() => {
    (LIMITS as { maxShards: number }).maxShards = 1;
  }, TypeError);
});

t.test('each proof refuses the first figure beyond its bound', async (t) => {
  const broken: Partial<Limits>[] = [
    { maxShards: 65 },
    { maxShards: 64, maxGateways: 64 },
    { maxGateways: 36 },
    { linkFullBytes: 32 * 1024 * 1024 },
    { linkMostBytes: 64 * 1024 * 1024 },
    { linkSilenceS: 12 },
    { routerWaitS: 15 },
    { maxEntities: 2 ** 20 + 1 },
    { maxEntities: Number.POSITIVE_INFINITY },
    { tileSleepS: 0 },
    { baseTileLevel: 14 },
    { deepestTileLevel: 17 },
    { cellLevel: 26 },
    { baseTileLevel: 15, deepestTileLevel: 15 },
    { viewCells: 4 },
    { viewCells: 7 },
    { farCells: 4 },
    { farCells: 9 },
    { frameRateHz: 3 },
    { inboxPlaces: 63 },
    { windowActions: 64 },
    { actionPayloadBytes: 172 },
    { actionPayloadBytes: 184 },
    { clientMessageBytes: 703 },
    { actionBurst: 59 },
    { actionsPerTick: 1 },
    { gatewayActionsPerS: 40 },
    { componentBytes: 92 },
    { arrivalsPlaces: 8191 },
    { messagePlaces: 100 },
    { frameRingBytes: 8_000_000 },
    { frameScratchBytes: 4 * 1024 * 1024 + 1 },
    { slowLagS: 10 },
    { slowCloseS: 60 },
    { minimumStayS: 0.04 },
    { startLoadShare: 0.8 },
    { splitLoadShare: 1 },
    { mergeLoadShare: 0.41 },
    { coolLoadShare: 0.6 },
    { packLoadShare: 0.21 },
    { moveGainShare: 0.8 },
    { dwellS: 6 },
    { plannerRateHz: 1 },
    { degradeStepS: 0.25 },
    { degradeBackS: 0.5 },
    { startWaitS: 3 },
    { splitLevelsAtOnce: 3 },
    { fullWaitingShare: 1 },
    { minDilationShare: 1 },
  ];
  for (const change of broken) {
    t.throws(() => proveLimits({ ...LIMITS, ...change }), { name: 'AssertionError' }, JSON.stringify(change));
  }
});
