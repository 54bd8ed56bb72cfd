/**
 * What a link needs of the bytes below it: TCP or TLS in production (gateway/link-stream.ts), a queue in a simulation. One
 * ordered stream; what was written arrives whole and in order, or the stream has ended.
 */

export interface LinkStream {
  /** @param done called when the bytes have left this process, or never: until then they must stay as they are */
  write(bytes: Uint8Array, done: () => void): void;
  /** Bytes that wait in this process. */
  waiting(): number;
  /** Ends when everything has been written. */
  end(): void;
  /** Ends now. `closed` follows in a later turn, as after `end`. */
  destroy(): void;
  /** What both ends of this stream know and nobody between them (TLS: RFC 9266), empty without TLS. */
  readonly binding: Uint8Array;
}

/** What a stream tells its link. Bytes are valid during the call. */
export interface StreamEvents {
  received(bytes: Uint8Array): void;
  /** Once, whoever ended it. */
  closed(): void;
}
