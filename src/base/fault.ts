/**
 * Why a message is refused: numbers for counters and hot paths, one line each for humans. 0 is fine. Below
 * FIRST_VALUE_FAULT the bytes are no message (BAD_FRAME), from there on a well-formed message says something
 * impossible (BAD_VALUE).
 */
export const FAULT = {
  OK: 0,
  TOO_SHORT: 1,
  TOO_LONG: 2,
  TABLE_BOUNDS: 3,
  VTABLE_BOUNDS: 4,
  FIELD_BOUNDS: 5,
  ALIGNMENT: 6,
  VECTOR_BOUNDS: 7,
  STRING_END: 8,
  DEPTH: 9,
  TABLES: 10,
  UNION_TAG: 11,
  UNION_VALUE: 12,
  REQUIRED: 13,
  NOT_FINITE: 32,
  OUT_OF_RANGE: 33,
  ID_RANGE: 34,
  UTF8: 35,
  LENGTH: 36,
} as const;

export type FaultName = keyof typeof FAULT;

export const FIRST_VALUE_FAULT = 32;

/** One line for each fault, by number. */
export const FAULT_TEXT: Readonly<Record<number, string>> = Object.freeze({
  [FAULT.OK]: 'fine',
  [FAULT.TOO_SHORT]: 'shorter than the smallest message',
  [FAULT.TOO_LONG]: 'longer than the limit',
  [FAULT.TABLE_BOUNDS]: 'a table lies outside the message',
  [FAULT.VTABLE_BOUNDS]: 'a vtable lies outside the message or has an impossible size',
  [FAULT.FIELD_BOUNDS]: 'a field lies outside its table',
  [FAULT.ALIGNMENT]: 'something is not aligned to its size',
  [FAULT.VECTOR_BOUNDS]: 'a vector or string reaches beyond the message',
  [FAULT.STRING_END]: 'a string has no zero byte after it',
  [FAULT.DEPTH]: 'tables are nested too deep',
  [FAULT.TABLES]: 'too many tables',
  [FAULT.UNION_TAG]: 'a union has an unknown type',
  [FAULT.UNION_VALUE]: 'a union has a type without a value, or a value without a type',
  [FAULT.REQUIRED]: 'a required field is missing',
  [FAULT.NOT_FINITE]: 'a number is not finite',
  [FAULT.OUT_OF_RANGE]: 'a number is out of its range',
  [FAULT.ID_RANGE]: 'an id is not below 2^53',
  [FAULT.UTF8]: 'a text is not valid UTF-8',
  [FAULT.LENGTH]: 'a text, payload or list is too long or too short',
});
