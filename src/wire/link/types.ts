/**
 * Types of the records of a link, and its version. Numbers never change their meaning. Up is from a router to a node, down
 * from a node to a router; the subject is a channel (one client's way to a node, numbered by the router) but where the
 * comment says otherwise.
 */
export const LINK = {
  // handshake, before anything else; the subject is 0
  HELLO: 1,
  CHALLENGE: 2,
  PROOF: 3,
  ACCEPT: 4,
  REFUSE: 5,
  // up
  OPEN: 16,
  MESSAGE: 17,
  TEXT: 18,
  CLOSED: 19,
  DROPPED: 20,
  DRAINED: 21,
  BUFFERED: 22,
  /** Facts of the router; the subject is 0. */
  ABOUT: 23,
  // down
  SEND: 32,
  /** The subject is a topic. */
  PUBLISH: 33,
  SUBSCRIBE: 34,
  UNSUBSCRIBE: 35,
  END: 36,
  /** Facts of the cluster; the subject is 0. */
  CLUSTER: 37,
} as const;

/** Versions of the link that this program speaks: the lowest and the highest. */
export const LINK_VERSIONS: readonly [least: number, most: number] = [1, 1];
