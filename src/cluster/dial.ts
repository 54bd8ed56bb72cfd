/** Dials the link port of a node: TCP on this machine, TLS with a named authority anywhere. */
import { readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { BlueMarbleError } from '../base/errors.js';
import { NetStream } from '../gateway/link-stream.js';
import type { Dial } from './upstream.js';

/** A connection that does not stand by then does not. */
const CONNECT_MS = 2000;

/** @param ca PEM file of the authority that signed the node's certificate; null = no TLS @throws BlueMarbleError BAD_TLS */
export function dialler(host: string, port: number, ca: string | null): Dial {
  const trusted = ca === null ? null : readPem(ca);
  return () =>
    new Promise((resolve) => {
      const begun = () => {
        socket.setTimeout(0); // from now on the link itself listens for silence
        resolve(new NetStream(socket));
      };
      const socket: Socket =
        trusted === null
          ? connect({ host, port }, begun)
          : // Both ends are ours: nothing older is spoken. The name in the certificate is the host that was given.
            connectTls({ host, port, ca: trusted, minVersion: 'TLSv1.3', rejectUnauthorized: true }, begun);
      socket.setTimeout(CONNECT_MS, () => socket.destroy());
      socket.once('error', () => socket.destroy());
      socket.once('close', () => resolve(null));
    });
}

function readPem(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch {
    throw new BlueMarbleError('BAD_TLS', `the authority ${file} cannot be read; give the path of a PEM file`);
  }
}
