/**
 * The BlueMarble SDK for TypeScript, in browsers and in Node (there with `nodeSockets` of node-socket.js):
 *
 *   const client = connect({ url: 'ws://127.0.0.1:7777', spawn: { lon: 10, lat: 50 } });
 *   await client.ready;
 *   await client.act('say', 'Hello!');
 *   for (const entity of client.view!) draw(client.view!.at(entity.id, performance.now()));
 */
export { Client, connect } from './client.js';
export { columnReader } from './columns.js';
export { Entity, type GameEvent } from './entity.js';
export { CLIENT_ERRORS, ClientError, type ClientErrorCode } from './errors.js';
export type { Position } from './interpolate.js';
export { type ActionFields, BUILT_IN_EVENTS, type Fields, readPayload, type TradeState } from './payload.js';
export { browserSockets, type ClientSocket, type SocketEvents, type SocketFactory } from './socket.js';
export type {
  ClientHandlers,
  ClientStats,
  ConnectOptions,
  Outcome,
  Place,
  SelfState,
  Welcome,
} from './types.js';
export type { View } from './view.js';
