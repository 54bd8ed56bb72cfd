// automatically generated from schemas/*.fbs by schemas/generate.ts, do not modify

import type { Schema, StructShape } from '../../base/schema-shape.js';

/** sha256 of the schemas, and of the files beside this one. */
export const SOURCE_HASH = '0683cda34b7b54408593c7dfcdc295feb5e796ae3de0ae7f5719de1898de7daa';
export const FILES_HASH = '2b9d96866a12857684e967dee4232a3d0a62bfca3e8ec594514ed95f8aade755';

export const STORE_SCHEMA: Schema = {
  root: "Stored",
  tables: {
    Answer: [
      {"name":"source","slot":0,"kind":"inline","size":8,"align":8},
      {"name":"counter","slot":1,"kind":"inline","size":4,"align":4},
      {"name":"answer","slot":2,"kind":"inline","size":2,"align":2},
      {"name":"used","slot":3,"kind":"inline","size":1,"align":1},
      {"name":"argument","slot":4,"kind":"inline","size":8,"align":8},
    ],
    Column: [
      {"name":"name","slot":0,"required":true,"kind":"string"},
      {"name":"type","slot":1,"required":true,"kind":"string"},
    ],
    Entity: [
      {"name":"id","slot":0,"kind":"inline","size":8,"align":8},
      {"name":"tick","slot":1,"kind":"inline","size":4,"align":4},
      {"name":"epoch","slot":2,"kind":"inline","size":4,"align":4},
      {"name":"kind","slot":3,"kind":"inline","size":2,"align":2},
      {"name":"flags","slot":4,"kind":"inline","size":2,"align":2},
      {"name":"x","slot":5,"kind":"inline","size":8,"align":8},
      {"name":"y","slot":6,"kind":"inline","size":8,"align":8},
      {"name":"z","slot":7,"kind":"inline","size":4,"align":4},
      {"name":"heading","slot":8,"kind":"inline","size":4,"align":4},
      {"name":"vx","slot":9,"kind":"inline","size":4,"align":4},
      {"name":"vy","slot":10,"kind":"inline","size":4,"align":4},
      {"name":"birth_tick","slot":11,"kind":"inline","size":4,"align":4},
      {"name":"step_count","slot":12,"kind":"inline","size":4,"align":4},
      {"name":"stay_until","slot":13,"kind":"inline","size":4,"align":4},
      {"name":"message_counter","slot":14,"kind":"inline","size":4,"align":4},
      {"name":"rate_tokens","slot":15,"kind":"inline","size":4,"align":4},
      {"name":"session","slot":16,"kind":"table","table":"Session"},
      {"name":"items","slot":17,"kind":"vector","size":8,"align":4},
      {"name":"columns","slot":18,"kind":"vector","size":16,"align":8},
      {"name":"letters","slot":19,"kind":"tables","table":"Letter"},
      {"name":"answers","slot":20,"kind":"tables","table":"Answer"},
    ],
    Letter: [
      {"name":"target","slot":0,"kind":"inline","size":8,"align":8},
      {"name":"counter","slot":1,"kind":"inline","size":4,"align":4},
      {"name":"kind","slot":2,"kind":"inline","size":2,"align":2},
      {"name":"state","slot":3,"kind":"inline","size":1,"align":1},
      {"name":"item","slot":4,"kind":"inline","size":2,"align":2},
      {"name":"count","slot":5,"kind":"inline","size":4,"align":4},
      {"name":"sent_tick","slot":6,"kind":"inline","size":4,"align":4},
      {"name":"answer","slot":7,"kind":"inline","size":2,"align":2},
      {"name":"args","slot":8,"kind":"vector","size":8,"align":8},
    ],
    Session: [
      {"name":"id","slot":0,"kind":"inline","size":8,"align":8},
      {"name":"last_action","slot":1,"kind":"inline","size":4,"align":4},
      {"name":"applied","slot":2,"kind":"inline","size":4,"align":4},
      {"name":"rejected","slot":3,"kind":"inline","size":4,"align":4},
      {"name":"hash","slot":4,"kind":"inline","size":4,"align":4},
      {"name":"outcomes","slot":5,"kind":"vector","size":2,"align":2},
    ],
    Stored: [
      {"name":"record","slot":1,"required":true,"kind":"union","members":["","Entity","World"]},
    ],
    World: [
      {"name":"seed","slot":0,"kind":"inline","size":4,"align":4},
      {"name":"base_level","slot":1,"kind":"inline","size":1,"align":1},
      {"name":"game","slot":2,"required":true,"kind":"string"},
      {"name":"kinds","slot":3,"kind":"strings"},
      {"name":"items","slot":4,"kind":"strings"},
      {"name":"columns","slot":5,"kind":"tables","table":"Column"},
    ],
  },
};

export const STORE_STRUCTS: Readonly<Record<string, StructShape>> = {
  ColumnValue: {"size":16,"align":8,"offsets":{"value":0,"column":8}},
  ItemStack: {"size":8,"align":4,"offsets":{"item":0,"count":4}},
};
