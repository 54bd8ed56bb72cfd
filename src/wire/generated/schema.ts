// automatically generated from schemas/*.fbs by schemas/generate.ts, do not modify

import type { Schema, StructShape } from '../../base/schema-shape.js';

/** sha256 of the schemas, and of the files beside this one. */
export const SOURCE_HASH = 'daff5111595267f8ce5ae3840688474cf2c9357d44e65a119d25c8ce5595466c';
export const FILES_HASH = '84fbde8ca6776329a0736a9334111ed7b1cd8e03ce0869cbd761491f685a49da';

export const CLIENT_SCHEMA: Schema = {
  root: "ClientMessage",
  tables: {
    Action: [
      {"name":"id","slot":0,"kind":"inline","size":4,"align":4},
      {"name":"kind","slot":1,"kind":"inline","size":2,"align":2},
      {"name":"payload","slot":2,"kind":"vector","size":1,"align":1},
    ],
    ClientMessage: [
      {"name":"newest_tick","slot":0,"kind":"inline","size":4,"align":4},
      {"name":"body","slot":2,"required":true,"kind":"union","members":["","Hello","Action","Ping","KeyRequest","LogRequest","Goodbye"]},
      {"name":"welcomes","slot":3,"kind":"inline","size":1,"align":1},
    ],
    Goodbye: [
    ],
    Hello: [
      {"name":"protocol","slot":0,"kind":"inline","size":4,"align":4},
      {"name":"client","slot":1,"kind":"string"},
      {"name":"ticket","slot":2,"kind":"string"},
      {"name":"resume_session","slot":3,"kind":"inline","size":8,"align":8},
      {"name":"resume_entity","slot":4,"kind":"inline","size":8,"align":8},
      {"name":"resume_token","slot":5,"kind":"string"},
      {"name":"spawn","slot":6,"kind":"inline","size":16,"align":8},
      {"name":"resume_durable","slot":7,"kind":"inline","size":4,"align":4},
      {"name":"attempt","slot":8,"kind":"inline","size":4,"align":4},
    ],
    KeyRequest: [
      {"name":"cells","slot":0,"required":true,"kind":"vector","size":12,"align":4},
    ],
    LogRequest: [
    ],
    Ping: [
      {"name":"nonce","slot":0,"kind":"inline","size":4,"align":4},
    ],
  },
};

export const CLIENT_STRUCTS: Readonly<Record<string, StructShape>> = {
  CellRef: {"size":12,"align":4,"offsets":{"x":0,"y":4,"square":8}},
  Point: {"size":16,"align":8,"offsets":{"x":0,"y":8}},
};

export const SERVER_SCHEMA: Schema = {
  root: "ServerMessage",
  tables: {
    CellFrame: [
      {"name":"cell_x","slot":0,"kind":"inline","size":4,"align":4},
      {"name":"cell_y","slot":1,"kind":"inline","size":4,"align":4},
      {"name":"publisher","slot":2,"kind":"inline","size":4,"align":4},
      {"name":"tick","slot":3,"kind":"inline","size":4,"align":4},
      {"name":"previous","slot":4,"kind":"inline","size":4,"align":4},
      {"name":"closes","slot":5,"kind":"vector","size":4,"align":4},
      {"name":"states","slot":6,"kind":"vector","size":32,"align":8},
      {"name":"removals","slot":7,"kind":"vector","size":24,"align":8},
      {"name":"events","slot":8,"kind":"tables","table":"Event"},
      {"name":"square","slot":9,"kind":"inline","size":1,"align":1},
      {"name":"moves","slot":10,"kind":"vector","size":16,"align":8},
      {"name":"interval","slot":11,"kind":"inline","size":2,"align":2},
      {"name":"taken","slot":12,"kind":"inline","size":4,"align":4},
    ],
    Closing: [
      {"name":"code","slot":0,"kind":"inline","size":2,"align":2},
      {"name":"name","slot":1,"required":true,"kind":"string"},
      {"name":"text","slot":2,"kind":"string"},
      {"name":"retry","slot":3,"kind":"inline","size":1,"align":1},
    ],
    Event: [
      {"name":"id","slot":0,"kind":"inline","size":8,"align":8},
      {"name":"source","slot":1,"kind":"inline","size":8,"align":8},
      {"name":"kind","slot":2,"kind":"inline","size":2,"align":2},
      {"name":"x","slot":3,"kind":"inline","size":2,"align":2},
      {"name":"y","slot":4,"kind":"inline","size":2,"align":2},
      {"name":"payload","slot":5,"kind":"vector","size":1,"align":1},
    ],
    LogReply: [
      {"name":"session","slot":0,"kind":"inline","size":8,"align":8},
      {"name":"last_action","slot":1,"kind":"inline","size":4,"align":4},
      {"name":"applied","slot":2,"kind":"inline","size":4,"align":4},
      {"name":"rejected","slot":3,"kind":"inline","size":4,"align":4},
      {"name":"hash","slot":4,"kind":"inline","size":4,"align":4},
    ],
    NamedKind: [
      {"name":"name","slot":0,"required":true,"kind":"string"},
      {"name":"kind","slot":1,"kind":"inline","size":2,"align":2},
    ],
    Pong: [
      {"name":"nonce","slot":0,"kind":"inline","size":4,"align":4},
      {"name":"tick","slot":1,"kind":"inline","size":4,"align":4},
      {"name":"held_ms","slot":2,"kind":"inline","size":2,"align":2},
    ],
    PublicColumn: [
      {"name":"name","slot":0,"required":true,"kind":"string"},
      {"name":"type","slot":1,"kind":"inline","size":1,"align":1},
      {"name":"offset","slot":2,"kind":"inline","size":1,"align":1},
    ],
    SelfUpdate: [
      {"name":"tick","slot":0,"kind":"inline","size":4,"align":4},
      {"name":"epoch","slot":1,"kind":"inline","size":4,"align":4},
      {"name":"x","slot":2,"kind":"inline","size":8,"align":8},
      {"name":"y","slot":3,"kind":"inline","size":8,"align":8},
      {"name":"vx","slot":4,"kind":"inline","size":4,"align":4},
      {"name":"vy","slot":5,"kind":"inline","size":4,"align":4},
      {"name":"applied","slot":6,"kind":"inline","size":4,"align":4},
      {"name":"durable","slot":7,"kind":"inline","size":4,"align":4},
      {"name":"outcomes","slot":8,"kind":"vector","size":8,"align":4},
      {"name":"dilation","slot":9,"kind":"inline","size":4,"align":4},
      {"name":"items","slot":10,"kind":"vector","size":4,"align":4},
    ],
    ServerMessage: [
      {"name":"body","slot":1,"required":true,"kind":"union","members":["","Welcome","CellFrame","SelfUpdate","LogReply","Pong","Closing"]},
    ],
    Welcome: [
      {"name":"protocol","slot":0,"kind":"inline","size":4,"align":4},
      {"name":"session","slot":1,"kind":"inline","size":8,"align":8},
      {"name":"entity","slot":2,"kind":"inline","size":8,"align":8},
      {"name":"token","slot":3,"required":true,"kind":"string"},
      {"name":"resumed","slot":4,"kind":"inline","size":1,"align":1},
      {"name":"applied","slot":5,"kind":"inline","size":4,"align":4},
      {"name":"durable","slot":6,"kind":"inline","size":4,"align":4},
      {"name":"window","slot":7,"kind":"inline","size":2,"align":2},
      {"name":"tick","slot":8,"kind":"inline","size":4,"align":4},
      {"name":"tick_rate","slot":9,"kind":"inline","size":1,"align":1},
      {"name":"frame_rate","slot":10,"kind":"inline","size":1,"align":1},
      {"name":"view_cells","slot":11,"kind":"inline","size":1,"align":1},
      {"name":"cell_level","slot":12,"kind":"inline","size":1,"align":1},
      {"name":"tile_level","slot":13,"kind":"inline","size":1,"align":1},
      {"name":"x","slot":14,"kind":"inline","size":8,"align":8},
      {"name":"y","slot":15,"kind":"inline","size":8,"align":8},
      {"name":"game","slot":16,"kind":"string"},
      {"name":"actions","slot":17,"kind":"tables","table":"NamedKind"},
      {"name":"kinds","slot":18,"kind":"strings"},
      {"name":"items","slot":19,"kind":"strings"},
      {"name":"columns","slot":20,"kind":"tables","table":"PublicColumn"},
      {"name":"events","slot":21,"kind":"tables","table":"NamedKind"},
      {"name":"far_cells","slot":22,"kind":"inline","size":1,"align":1},
      {"name":"far_intervals","slot":23,"kind":"vector","size":2,"align":2},
      {"name":"routers","slot":24,"kind":"strings"},
    ],
  },
};

export const SERVER_STRUCTS: Readonly<Record<string, StructShape>> = {
  EntityMove: {"size":16,"align":8,"offsets":{"id":0,"x":8,"y":10,"vx":12,"vy":14}},
  EntityState: {"size":32,"align":8,"offsets":{"id":0,"epoch":8,"x":12,"y":14,"vx":16,"vy":18,"kind":20,"flags":22,"pub0":24,"pub1":28}},
  Outcome: {"size":8,"align":4,"offsets":{"id":0,"code":4}},
  Removal: {"size":24,"align":8,"offsets":{"id":0,"epoch":8,"to_x":12,"to_y":16}},
};

export const GAME_STRUCTS: Readonly<Record<string, StructShape>> = {
  Drop: {"size":4,"align":2,"offsets":{"item":0,"count":2}},
  Gather: {"size":8,"align":8,"offsets":{"target":0}},
  Give: {"size":16,"align":8,"offsets":{"target":0,"item":8,"count":10}},
  Pick: {"size":8,"align":8,"offsets":{"target":0}},
  TradeAbort: {"size":8,"align":8,"offsets":{"trade":0}},
  TradeAccept: {"size":16,"align":8,"offsets":{"trade":0,"version":8}},
  TradeOffer: {"size":8,"align":8,"offsets":{"target":0}},
  TradePut: {"size":16,"align":8,"offsets":{"trade":0,"item":8,"count":10}},
  TradeState: {"size":40,"align":8,"offsets":{"asker":0,"asked":8,"version":16,"state":18,"accepted":19,"asker_item_0":20,"asker_item_1":22,"asker_item_2":24,"asker_item_3":26,"asked_item_0":28,"asked_item_1":30,"asked_item_2":32,"asked_item_3":34}},
  TradeTake: {"size":16,"align":8,"offsets":{"trade":0,"item":8,"count":10}},
  Walk: {"size":12,"align":4,"offsets":{"heading":0,"speed":4,"seconds":8}},
};
